import { showValue, type OptionTree, type Settings } from '../../redis/shared.js';
import { EncryptionConfigurationError } from '../options/encryption-configuration-error.js';
import { resolveCall } from '../options/resolve-call.js';
import { readContext } from '../options/resolve-context.js';
import { ttlOf } from '../options/time-to-live.js';
import type { SetManyOptions, SetOptions } from './store-options.js';

const MANY_OPTIONS = { context: true, ttl: true } as const satisfies OptionTree &
  Record<keyof SetManyOptions, true>;
const SET_OPTIONS = { context: true, ttl: true, condition: true } as const satisfies OptionTree &
  Record<keyof SetOptions, true>;

/** How a value is written. */
export interface ResolvedStoreOptions {
  /** Milliseconds. */
  readonly ttl?: number | 'keep' | undefined;
  readonly condition?: 'NX' | 'XX' | undefined;
}

const NOTHING: ResolvedStoreOptions = {};

/**
 * How a value is written.
 *
 * @param subject the method, for messages
 * @throws EncryptionConfigurationError with every problem that was found
 */
export function resolveStoreOptions(subject: string, options: SetOptions | undefined): ResolvedStoreOptions {
  if (options === undefined) return NOTHING;
  return resolve(subject, SET_OPTIONS, options, (settings) => ({
    ttl: settings.find('ttl')?.value === 'keep' ? 'keep' : ttlOf(settings),
    condition: settings.choice('condition', ['NX', 'XX']),
  }));
}

/**
 * The time to live of several values or of a hash, in milliseconds.
 *
 * @param subject the method, for messages
 * @throws EncryptionConfigurationError with every problem that was found
 */
export function resolveTtl(subject: string, options: SetManyOptions | undefined): number | undefined {
  return options === undefined ? undefined : resolve(subject, MANY_OPTIONS, options, ttlOf);
}

function resolve<T>(subject: string, tree: OptionTree, options: unknown, read: (settings: Settings) => T): T {
  return resolveCall(subject, tree, options, (settings, problems) => {
    readContext(options, settings, problems);
    return read(settings);
  });
}

/**
 * @param subject the method, for messages
 * @throws EncryptionConfigurationError
 */
export function checkName(subject: string, option: 'key' | 'field', name: unknown): string {
  if (typeof name === 'string' && name !== '') return name;
  // With the arguments the wrong way round, it is what was to be encrypted.
  const shown = name === '' ? 'an empty text' : `what is given (${typeof name})`;
  return refuse(subject, option, `${shown} is not a text with at least one character`);
}

/**
 * @param subject the method, for messages
 * @throws EncryptionConfigurationError
 */
export function checkKeys(subject: string, keys: readonly string[]): readonly string[] {
  return Array.isArray(keys) ? keys : refuse(subject, 'keys', `${showValue(keys)} is not an array of keys`);
}

/**
 * Names and values, of an object or of pairs.
 *
 * @param subject the method, for messages
 * @throws EncryptionConfigurationError
 */
export function entriesOf(
  subject: string,
  option: 'values' | 'fields',
  given: Readonly<Record<string, unknown>> | Iterable<readonly [string, unknown]>,
): (readonly [string, unknown])[] {
  // What was to be encrypted is in no message.
  if (typeof given !== 'object' || given === null || ArrayBuffer.isView(given))
    return refuse(subject, option, 'are neither an object nor pairs of a name and a value');
  const entries = Symbol.iterator in given ? [...given] : Object.entries(given);
  if (entries.every((entry) => Array.isArray(entry) && entry.length === 2)) return entries;
  return refuse(subject, option, 'are not all pairs of a name and a value');
}

/** @throws EncryptionConfigurationError */
export function resolveNamespace(name: string): string {
  const tree = { namespace: true } as const;
  return resolveCall('EncryptedStore.namespace', tree, { namespace: name }, (settings) =>
    settings.namespace('namespace'),
  )!;
}

function refuse(subject: string, option: string, message: string): never {
  throw new EncryptionConfigurationError(subject, [{ option, message }]);
}
