import { types } from 'node:util';
import type { ConfigService } from '@nestjs/config';
import type { Problems, Settings } from '../../redis/shared.js';
import { deriveKeyId, parseKeyId, showKeyId } from '../keys/key-id.js';
import { KeyRing } from '../keys/key-ring.js';
import { KEY_EXPECTED, parseKey } from '../keys/parse-key.js';
import { RingKey } from '../keys/ring-key.js';
import { weaknessOf } from '../keys/weak-key.js';

/** A key that was given, and what to call it in a message: the option or variable. */
type GivenKey =
  | { readonly option: string; readonly value: unknown }
  /** In its place there is something else. */
  | { readonly option: string; readonly fault: string };

interface CheckedKey {
  readonly option: string;
  readonly id: number;
  readonly bytes: Buffer;
}

/**
 * The keys of the options, or of the environment where there are none. What is wrong with them is reported in their order, and without
 * them.
 */
export function resolveKeys(
  settings: Settings,
  config: ConfigService,
  problems: Problems,
): KeyRing | undefined {
  const given = settings.has('key') ? keysOfOptions(settings) : keysOfEnvironment(settings, config);
  const keys: CheckedKey[] = [];
  for (const each of given) {
    const key = checkKey(each, keys);
    if ('fault' in key) problems.add(key.option, key.fault);
    else keys.push(key);
  }
  const [first, ...rest] = keys.map(({ id, bytes }) => new RingKey(id, bytes));
  return first && new KeyRing(first, rest);
}

function keysOfOptions(settings: Settings): GivenKey[] {
  const { value } = settings.find('key')!;
  return [primaryKey('key', value, 'decryptKeys'), ...(othersOfOptions(settings) ?? [])];
}

function othersOfOptions(settings: Settings): GivenKey[] | undefined {
  const given = settings.find('decryptKeys')?.value;
  if (given === undefined) return undefined;
  if (!Array.isArray(given)) return [{ option: 'decryptKeys', fault: 'is not an array of keys' }];
  return given.map((value: unknown, position) => ({ option: `decryptKeys[${position}]`, value }));
}

function keysOfEnvironment(settings: Settings, config: ConfigService): GivenKey[] {
  const option = 'ENCRYPTION_KEY';
  const text = textOf(config, option);
  const primary =
    text === undefined
      ? { option, fault: `is missing: ${KEY_EXPECTED}` }
      : primaryKey(option, text, 'ENCRYPTION_DECRYPT_KEYS');
  const others = partsOf(textOf(config, 'ENCRYPTION_DECRYPT_KEYS') ?? '').map((value, position) => ({
    option: `ENCRYPTION_DECRYPT_KEYS, key ${position + 1}`,
    value,
  }));
  return [primary, ...(othersOfOptions(settings) ?? others)];
}

function textOf(config: ConfigService, variable: string): string | undefined {
  const value: unknown = config.get(variable);
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined;
}

function partsOf(text: string): string[] {
  return text.split(',').filter((part) => part.trim() !== '');
}

function primaryKey(option: string, value: unknown, others: string): GivenKey {
  if (typeof value !== 'string' || partsOf(value).length < 2) return { option, value };
  return { option, fault: `holds several keys: all but the first belong in ${others}` };
}

/** @param before the keys that were given before it, and are good */
function checkKey(
  given: GivenKey,
  before: readonly CheckedKey[],
): CheckedKey | { option: string; fault: string } {
  if ('fault' in given) return given;
  const { option } = given;
  const { id: givenId, key } = idAndKey(given.value);
  const number = givenId === undefined ? undefined : parseKeyId(givenId);
  if (givenId !== undefined && number === undefined)
    return { option, fault: 'has an id that is not one to eight hexadecimal digits' };
  const parsed = parseKey(key);
  if ('fault' in parsed) return { option, fault: parsed.fault };
  const { bytes } = parsed;
  const checked = { option, id: number ?? deriveKeyId(bytes), bytes };
  const fault = weaknessOf(bytes) ?? repetitionOf(checked, before);
  return fault === undefined ? checked : { option, fault };
}

function repetitionOf({ id, bytes }: CheckedKey, before: readonly CheckedKey[]): string | undefined {
  const other = before.find((each) => each.id === id);
  if (!other) return undefined;
  if (other.bytes.equals(bytes)) return `is the same key as ${other.option}`;
  return `has the id ${showKeyId(id)}, as ${other.option} has, and is another key`;
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
