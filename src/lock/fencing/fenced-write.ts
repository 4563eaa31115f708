import { defineScript, type Duration, type Script, type ScriptArgument } from '../../redis/index.js';
import { flattenOptions, Problems, Settings, type OptionTree } from '../../redis/shared.js';
import { LockConfigurationError } from '../options/lock-configuration-error.js';
import { fenceKey } from './fence-key.js';

/** What {@link fencedWrite} takes. */
export interface FencedWrite {
  key: string;
  value: string | Buffer | number;
  /** `Lease.fence` of the lease under which it is written. */
  fence: number;
  /** How long the value is kept. @default without end, whatever was said before */
  ttl?: Duration;
  /**
   * How long the fence is remembered after the last write, and at least as long as the value. A writer that was paused for longer is no longer
   * refused. It takes a key of about 100 bytes meanwhile. `Infinity` for ever. @default '1d'
   */
  fenceTtl?: Duration;
}

const OPTIONS = {
  key: true,
  value: true,
  fence: true,
  ttl: true,
  fenceTtl: true,
} as const satisfies OptionTree & Record<keyof FencedWrite, true>;

const DAY = 86_400_000;

/** So long that Redis can add the time of day to it. */
const LONGEST = 1_000 * 365 * DAY;

/**
 * Writes a value (`SET`), unless the key was written with a larger fence: then its writer's lease was lost to another, who has written
 * already. An equal fence may write as often as it wants. The fence is kept beside the key: see {@link fenceKey}. All who write the key have
 * to write it so. Under an eviction policy that takes such keys (`volatile-…`, `allkeys-…`), a full memory forgets fences.
 *
 * `run` resolves with whether the value was written; it throws a RedisError, and LockConfigurationError for wrong options.
 *
 * Source: M. Kleppmann, "How to do distributed locking", 2016.
 *
 * @example
 * await locks.using('ranking', async ({ fence }) => {
 *   const isWritten = await fencedWrite.run(redis, { key: 'ranking:top', value: await rank(), fence });
 *   if (!isWritten) throw new Error('Another has ranked meanwhile');
 * });
 */
export const fencedWrite: Script<FencedWrite, boolean> = defineScript<FencedWrite, boolean>({
  lua: new URL('./fenced-write.lua', import.meta.url),
  keys: (write) => resolve(write).keys,
  args: (write) => resolve(write).args,
  reply: (written) => Number(written) === 1,
});

/** @throws LockConfigurationError with every problem that was found */
function resolve(write: FencedWrite): { keys: string[]; args: ScriptArgument[] } {
  const problems = new Problems();
  const settings = new Settings(flattenOptions(write, OPTIONS, problems), problems);
  for (const option of ['key', 'value', 'fence'])
    if (!settings.has(option)) problems.add(option, 'is missing');
  const key = settings.text('key');
  const fence = settings.integer('fence', { min: 1, expected: 'a fence, such as Lease.fence' });
  const ttl = settings.duration('ttl', { max: LONGEST });
  const isForEver = settings.find('fenceTtl')?.value === Infinity;
  const fenceTtl = isForEver ? Infinity : (settings.duration('fenceTtl', { max: LONGEST }) ?? DAY);
  if (settings.has('value') && !isValue(write.value))
    problems.add('value', 'is no text, Buffer or finite number');
  problems.throwAs((found) => new LockConfigurationError('fencedWrite', found));
  const kept = Math.max(fenceTtl, ttl ?? 0);
  return {
    keys: [key!, fenceKey(key!)],
    args: [fence!, lifetime(kept), write.value, lifetime(ttl ?? Infinity)],
  };
}

function isValue(value: unknown): boolean {
  return typeof value === 'string' || Buffer.isBuffer(value) || Number.isFinite(value);
}

/** As the script has it. */
function lifetime(milliseconds: number): ScriptArgument {
  return milliseconds === Infinity ? '' : Math.ceil(milliseconds);
}
