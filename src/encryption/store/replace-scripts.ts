import { defineScript, type Script } from '../../redis/index.js';

/** A value to be written anew, if it is still the one that was read. */
export interface Replacement {
  readonly redisKey: string;
  /** '' for the value of a key. */
  readonly field: string;
  /** How it began: enough of it to tell it from any other. */
  readonly start: Buffer;
  /** How many bytes it had. */
  readonly length: number;
  readonly replacement: Buffer;
}

const isReplaced = (reply: unknown): boolean => reply === 1;

/** Each replies whether it was still there. */
export const replaceValue: Script<Replacement, boolean> = defineScript({
  lua: new URL('./replace-value.lua', import.meta.url),
  keys: ({ redisKey }: Replacement) => [redisKey],
  args: ({ start, length, replacement }) => [start, length, replacement],
  reply: isReplaced,
});

export const replaceField: Script<Replacement, boolean> = defineScript({
  lua: new URL('./replace-field.lua', import.meta.url),
  keys: ({ redisKey }: Replacement) => [redisKey],
  args: ({ field, start, length, replacement }) => [start, length, replacement, field],
  reply: isReplaced,
});
