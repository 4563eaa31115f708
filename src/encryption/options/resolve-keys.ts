import { types } from 'node:util';
import type { ConfigService } from '@nestjs/config';
import { Problems, type Settings } from '../../redis/shared.js';
import { deriveKeyId, parseKeyId, showKeyId } from '../keys/key-id.js';
import { KeyRing } from '../keys/key-ring.js';
import { parseKey } from '../keys/parse-key.js';
import { RingKey } from '../keys/ring-key.js';
import { weaknessOf } from '../keys/weak-key.js';

/** A key that was given, and what to call it in a message: the option or variable. */
interface GivenKey {
  readonly option: string;
  readonly value: unknown;
}

interface CheckedKey {
  readonly option: string;
  readonly id: number;
  readonly bytes: Buffer;
}

/** The keys of the options, or of the environment where there are none. What is wrong with them is reported, without them. */
export function resolveKeys(
  settings: Settings,
  config: ConfigService,
  problems: Problems,
): KeyRing | undefined {
  const { primary, others } = settings.has('key')
    ? keysOfOptions(settings, problems)
    : keysOfEnvironment(settings, config, problems);
  const given = [primary, ...others].filter((key) => key !== undefined);
  const keys = given.flatMap((key) => checkKey(key, problems) ?? []);
  reportRepeated(keys, problems);
  const [first, ...rest] = keys.map(({ id, bytes }) => new RingKey(id, bytes));
  return first && new KeyRing(first, rest);
}

interface GivenKeys {
  readonly primary: GivenKey | undefined;
  readonly others: readonly GivenKey[];
}

function keysOfOptions(settings: Settings, problems: Problems): GivenKeys {
  return {
    primary: { option: 'key', value: settings.find('key')!.value },
    others: othersOfOptions(settings, problems) ?? [],
  };
}

function othersOfOptions(settings: Settings, problems: Problems): GivenKey[] | undefined {
  const given = settings.find('decryptKeys')?.value;
  if (given === undefined) return undefined;
  if (Array.isArray(given))
    return given.map((value: unknown, position) => ({ option: `decryptKeys[${position}]`, value }));
  problems.add('decryptKeys', 'is not an array of keys');
  return [];
}

function keysOfEnvironment(settings: Settings, config: ConfigService, problems: Problems): GivenKeys {
  const text = textOf(config, 'ENCRYPTION_KEY');
  if (text === undefined)
    problems.add(
      'ENCRYPTION_KEY',
      "is missing: a key is 64 hexadecimal characters, or base64 of 32 bytes; 'openssl rand -hex 32' makes one",
    );
  const others = (textOf(config, 'ENCRYPTION_DECRYPT_KEYS') ?? '')
    .split(',')
    .filter((each) => each.trim() !== '')
    .map((value, position) => ({ option: `ENCRYPTION_DECRYPT_KEYS, key ${position + 1}`, value }));
  return {
    primary: text === undefined ? undefined : { option: 'ENCRYPTION_KEY', value: text },
    others: othersOfOptions(settings, problems) ?? others,
  };
}

function textOf(config: ConfigService, variable: string): string | undefined {
  const value: unknown = config.get(variable);
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined;
}

function checkKey(given: GivenKey, problems: Problems): CheckedKey | undefined {
  const { id, key } = idAndKey(given.value);
  const report = (message: string): undefined => problems.add(given.option, message) as undefined;
  const number = id === undefined ? undefined : parseKeyId(id);
  if (id !== undefined && number === undefined)
    return report('has an id that is not one to eight hexadecimal digits');
  const parsed = parseKey(key);
  if ('fault' in parsed) return report(parsed.fault);
  const weakness = weaknessOf(parsed.bytes);
  if (weakness) return report(weakness);
  return { option: given.option, id: number ?? deriveKeyId(parsed.bytes), bytes: parsed.bytes };
}

/** `2026:9f86…` is a key with its id: no way to write a key has a colon in it. */
function idAndKey(value: unknown): { id: unknown; key: unknown } {
  if (typeof value === 'string') {
    const colon = value.indexOf(':');
    return colon < 0
      ? { id: undefined, key: value }
      : { id: value.slice(0, colon).trim(), key: value.slice(colon + 1) };
  }
  if (typeof value !== 'object' || value === null || types.isUint8Array(value))
    return { id: undefined, key: value };
  const { id, key } = value as { id?: unknown; key?: unknown };
  return { id, key };
}

function reportRepeated(keys: readonly CheckedKey[], problems: Problems): void {
  const seen = new Map<number, CheckedKey>();
  for (const key of keys) {
    const first = seen.get(key.id);
    if (!first) seen.set(key.id, key);
    else if (first.bytes.equals(key.bytes)) problems.add(key.option, `is the same key as ${first.option}`);
    else
      problems.add(key.option, `has the id ${showKeyId(key.id)}, as ${first.option} has, and is another key`);
  }
}
