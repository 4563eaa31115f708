import { msgpackCodec } from '../codecs/msgpack-codec.js';
import { EntrySerializer, type EntryDraft } from './entry-serializer.js';

type Options = ConstructorParameters<typeof EntrySerializer>[0];

export const KEY = 'city:1';
export const REPETITIVE = 'the same again, '.repeat(1_000);

/** What the serialisers of a test have warned of: to be emptied before each. */
export const warnings: string[] = [];

export function serializer(options: Partial<Options> = {}): EntrySerializer {
  const defaults: Options = {
    codec: msgpackCodec,
    compression: undefined,
    maxValueSize: 100_000,
    oversize: 'skip',
  };
  return new EntrySerializer({ ...defaults, ...options }, (message) => warnings.push(message));
}

export function draft(value: unknown, rest: Partial<EntryDraft> = {}): EntryDraft {
  const times = { born: 1_000, freshUntil: 2_000, staleUntil: 3_000, cost: 12.5 };
  return { kind: 'value', value, ...times, tags: ['city', 'Zürich 🏔'], stamps: [7, 8, 9], ...rest };
}

export async function written(target: EntrySerializer, entry: EntryDraft): Promise<Buffer> {
  const bytes = await target.serialize(KEY, entry);
  if (!bytes) throw new Error('It was skipped');
  return bytes;
}
