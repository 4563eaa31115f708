import type { SessionData } from 'express-session';
import { showValue, toMilliseconds, type Settings } from '../../redis/shared.js';
import { AdapterConfigurationError } from '../adapter-configuration-error.js';
import { resolveAdapterOptions } from '../adapter-options.js';
import type { RedisSessionStoreOptions, SessionSerializer } from './session-store-options.js';

const SUBJECT = 'RedisSessionStore';

const OPTIONS = {
  namespace: true,
  ttl: true,
  touch: true,
  encryption: true,
  serializer: true,
} as const satisfies Record<keyof RedisSessionStoreOptions, true>;

const DAY = 86_400_000;

/** A hundred years, in milliseconds. */
const LONGEST = 100 * 365.25 * DAY;

type Encryption = NonNullable<RedisSessionStoreOptions['encryption']>;

export interface ResolvedSessionStoreOptions {
  readonly namespace: string;
  /** Whole milliseconds. @throws AdapterConfigurationError where the application's function gives no duration; whatever it throws */
  readonly ttl: (session: SessionData) => number;
  readonly touch: boolean;
  readonly encryption: Encryption | undefined;
  readonly serializer: SessionSerializer;
}

/** @throws AdapterConfigurationError with every problem that was found */
export function resolveSessionStoreOptions(options: RedisSessionStoreOptions): ResolvedSessionStoreOptions {
  return resolveAdapterOptions(SUBJECT, { options, names: OPTIONS }, (settings) => ({
    namespace: settings.namespace('namespace') ?? 'sess',
    ttl: readTtl(settings),
    touch: settings.boolean('touch') ?? true,
    encryption: settings.converted('encryption', asEncryption, 'an EncryptionService'),
    serializer:
      settings.converted('serializer', asSerializer, 'an object with the methods stringify and parse') ??
      JSON,
  }));
}

function readTtl(settings: Settings): ResolvedSessionStoreOptions['ttl'] {
  const given = settings.find('ttl')?.value;
  if (typeof given === 'function')
    return (session) => checkTtl((given as (session: SessionData) => unknown)(session));
  const ttl = Math.ceil(settings.duration('ttl', { max: LONGEST }) ?? DAY);
  return () => ttl;
}

function checkTtl(returned: unknown): number {
  const milliseconds = toMilliseconds(returned);
  if (milliseconds !== undefined && milliseconds > 0 && milliseconds <= LONGEST)
    return Math.ceil(milliseconds);
  const message = `the function has returned ${showValue(returned)}, which is not a duration of more than 0 ms`;
  throw new AdapterConfigurationError(SUBJECT, [{ option: 'ttl', message }]);
}

function asEncryption(value: unknown): Encryption | undefined {
  return hasMethods(value, ['encrypt', 'decrypt']) ? (value as Encryption) : undefined;
}

function asSerializer(value: unknown): SessionSerializer | undefined {
  return hasMethods(value, ['stringify', 'parse']) ? (value as SessionSerializer) : undefined;
}

function hasMethods(value: unknown, names: readonly string[]): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return names.every((name) => typeof (value as Readonly<Record<string, unknown>>)[name] === 'function');
}
