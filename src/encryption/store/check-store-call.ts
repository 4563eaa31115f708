import { flattenOptions, Problems, Settings, showValue, type OptionTree } from '../../redis/shared.js';
import { EncryptionConfigurationError } from '../options/encryption-configuration-error.js';
import type { SetOptions } from './store-options.js';

const STORE_OPTIONS = { context: true, ttl: true, condition: true } as const satisfies OptionTree &
  Record<keyof SetOptions, true>;

/** A hundred years, in milliseconds. */
const LONGEST_TTL = 100 * 365.25 * 86_400_000;

/** How a value is written. */
export interface ResolvedStoreOptions {
  /** Milliseconds. */
  readonly ttl?: number | 'keep' | undefined;
  readonly condition?: 'NX' | 'XX' | undefined;
}

const NOTHING: ResolvedStoreOptions = {};

/**
 * @param subject the method, for messages
 * @throws EncryptionConfigurationError with every problem that was found
 */
export function resolveStoreOptions(subject: string, options: SetOptions | undefined): ResolvedStoreOptions {
  if (options === undefined) return NOTHING;
  const problems = new Problems();
  const settings = new Settings(flattenOptions(options, STORE_OPTIONS, problems), problems);
  settings.converted('context', asContext, 'a text or bytes');
  const resolved: ResolvedStoreOptions = {
    ttl: options.ttl === 'keep' ? 'keep' : whole(settings.duration('ttl', { max: LONGEST_TTL })),
    condition: settings.choice('condition', ['NX', 'XX']),
  };
  problems.throwAs((found) => new EncryptionConfigurationError(subject, found));
  return resolved;
}

/** @throws EncryptionConfigurationError */
export function checkName(option: 'key' | 'field', name: unknown): string {
  if (typeof name === 'string' && name !== '') return name;
  const message = `${showValue(name)} is not a text with at least one letter`;
  throw new EncryptionConfigurationError('A call of EncryptedStore', [{ option, message }]);
}

/** @throws EncryptionConfigurationError */
export function resolveNamespace(name: string): string {
  const problems = new Problems();
  const settings = new Settings(flattenOptions({ namespace: name }, { namespace: true }, problems), problems);
  const resolved = settings.namespace('namespace');
  problems.throwAs((found) => new EncryptionConfigurationError('EncryptedStore.namespace', found));
  return resolved!;
}

/** Redis counts whole milliseconds. */
function whole(milliseconds: number | undefined): number | undefined {
  return milliseconds === undefined ? undefined : Math.ceil(milliseconds);
}

function asContext(value: unknown): string | Uint8Array | undefined {
  return typeof value === 'string' || value instanceof Uint8Array ? value : undefined;
}
