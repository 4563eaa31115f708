import { defineScript, type Script } from '../../redis/index.js';

interface Member {
  readonly redisKey: string;
  readonly member: string;
}

interface Addition extends Member {
  /** For how long it is needed: milliseconds, or Infinity. */
  readonly lifetime: number;
}

interface Removal extends Member {
  /** How long it must have been there: milliseconds. */
  readonly age: number;
}

const keyOf = ({ redisKey }: Member): string[] => [redisKey];

/** Puts a member into an entry. Replies one that is there, whichever. */
export const addMember: Script<Addition, string> = defineScript({
  lua: new URL('./add-member.lua', import.meta.url),
  keys: keyOf,
  args: ({ member, lifetime }: Addition) => [member, Number.isFinite(lifetime) ? lifetime : ''],
});

/** Takes a member out of an entry. Replies whether it is gone. */
export const removeMember: Script<Removal, boolean> = defineScript({
  lua: new URL('./remove-member.lua', import.meta.url),
  keys: keyOf,
  args: ({ member, age }: Removal) => [member, age],
  reply: (reply) => reply === 1,
});

/** A mark of a record, to be replaced if the record is still the one that was read. */
export interface MarkReplacement {
  readonly redisKey: string;
  readonly markField: string;
  /** undefined where there was none. */
  readonly before: Buffer | undefined;
  readonly after: string;
  readonly field: string;
  /** What stands there, encrypted. */
  readonly raw: Buffer;
}

/** Replies whether it was. */
export const replaceMark: Script<MarkReplacement, boolean> = defineScript({
  lua: new URL('./replace-mark.lua', import.meta.url),
  keys: ({ redisKey }: MarkReplacement) => [redisKey],
  args: ({ markField, before, after, field, raw }) => [markField, before ?? '', after, field, raw],
  reply: (reply) => reply === 1,
});
