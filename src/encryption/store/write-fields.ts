import { defineScript, type Script } from '../../redis/index.js';

/** Fields of a hash to be written. */
interface WrittenFields {
  readonly redisKey: string;
  /** Each field, and its value after it. */
  readonly words: readonly (string | Buffer)[];
  /** Milliseconds after which the hash is gone. */
  readonly ttl: number;
}

export const writeFields: Script<WrittenFields, unknown> = defineScript({
  lua: new URL('./write-fields.lua', import.meta.url),
  keys: ({ redisKey }: WrittenFields) => [redisKey],
  args: ({ ttl, words }) => [ttl, ...words],
});
