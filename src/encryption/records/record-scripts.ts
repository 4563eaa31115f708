import { defineScript, type Script } from '../../redis/index.js';
import type { RecordField } from './record-codec.js';

/** A record as it is to be written. */
export interface RecordWrite {
  readonly redisKey: string;
  /** Milliseconds; undefined for the time that there is. */
  readonly ttl: number | undefined;
  /** For how long its index entries are there: milliseconds, or Infinity. */
  readonly lifetime: number;
  readonly markFields: readonly string[];
  readonly fields: readonly RecordField[];
}

/** How it came out: what the marks were, or, where it has to live longer than its index entries, for how long. */
export type RecordWritten =
  | { readonly isWritten: true; readonly marks: readonly (string | null)[] }
  | { readonly isWritten: false; readonly lifetime: number };

export const saveRecord: Script<RecordWrite, RecordWritten> = defineScript({
  lua: new URL('./save-record.lua', import.meta.url),
  keys: ({ redisKey }: RecordWrite) => [redisKey],
  args: ({ ttl, lifetime, markFields, fields }) => [
    ttl ?? '',
    Number.isFinite(lifetime) ? lifetime : '',
    markFields.length,
    ...markFields,
    ...fields.flat(),
  ],
  reply: (raw) => writtenOf(raw as readonly [1, readonly (string | null)[]] | readonly [0, number]),
});

function writtenOf(raw: readonly [1, readonly (string | null)[]] | readonly [0, number]): RecordWritten {
  if (raw[0] === 1) return { isWritten: true, marks: raw[1] };
  return { isWritten: false, lifetime: raw[1] < 0 ? Infinity : raw[1] };
}

/** What the marks of the record were; undefined where there was none. */
export const deleteRecord: Script<
  Pick<RecordWrite, 'redisKey' | 'markFields'>,
  readonly (string | null)[] | undefined
> = defineScript({
  lua: new URL('./delete-record.lua', import.meta.url),
  keys: ({ redisKey }: Pick<RecordWrite, 'redisKey' | 'markFields'>) => [redisKey],
  args: ({ markFields }) => markFields,
  reply: (raw) => (raw === null ? undefined : (raw as (string | null)[])),
});
