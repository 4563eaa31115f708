import type { Duration } from '../../redis/index.js';
import type { OptionTree } from '../../redis/shared.js';
import { resolveCall } from '../options/resolve-call.js';
import { ttlOf } from '../options/time-to-live.js';

/** A class of records: it is made without arguments. */
export type RecordClass<T extends object> = new () => T;

/** Where the records of a class are kept. */
export interface RecordsOptions {
  /**
   * What stands before the ids in Redis, one for each class in a namespace. A class that is renamed, or whose name a build
   * shortens, needs it: records are found under the name that they were saved under.
   *
   * @default the name of the class, in small letters with hyphens: `payment-profile`
   */
  name?: string;
  /** First part of every key in Redis. @default that of the module */
  namespace?: string;
}

/**
 * What is saved: an instance, or an object with its properties, without methods. Objects within have the type that the class says: one that has
 * methods is given as an instance.
 */
export type RecordInput<T> = {
  [
    Property in keyof T as T[Property] extends (...values: never[]) => unknown ? never : Property
  ]: T[Property];
};

/** How a record is saved. */
export interface SaveRecordOptions {
  /** After what time it is gone. @default the time that the record there has stays; a new one has none */
  ttl?: Duration;
}

const RECORDS_OPTIONS = { name: true, namespace: true } as const satisfies OptionTree &
  Record<keyof RecordsOptions, true>;

const SAVE_OPTIONS = { ttl: true } as const satisfies OptionTree & Record<keyof SaveRecordOptions, true>;

/** @throws EncryptionConfigurationError */
export function resolveRecordsOptions(
  subject: string,
  options: RecordsOptions,
  defaults: Required<RecordsOptions>,
): Required<RecordsOptions> {
  return resolveCall(subject, RECORDS_OPTIONS, options, (settings, problems) => {
    const given = settings.converted('name', asName, "letters, digits, '_', '-' and '.', and 'idx' is taken");
    const name = given ?? asName(defaults.name);
    if (name === undefined && !settings.has('name'))
      problems.add('name', `is needed: none can be made of that of the class`);
    return { name: name!, namespace: settings.namespace('namespace') ?? defaults.namespace };
  });
}

/** @returns milliseconds, or undefined where none is given @throws EncryptionConfigurationError */
export function resolveTimeToLive(
  subject: string,
  options: SaveRecordOptions | undefined,
): number | undefined {
  return options === undefined ? undefined : resolveCall(subject, SAVE_OPTIONS, options, ttlOf);
}

/** `PaymentProfile` is `payment-profile`, `URLEntry` is `url-entry`. */
export function kebabCase(name: string): string {
  return name
    .replaceAll(/([\p{Ll}\d])(\p{Lu})/gu, '$1-$2')
    .replaceAll(/(\p{Lu})(\p{Lu}\p{Ll})/gu, '$1-$2')
    .toLowerCase();
}

function asName(name: unknown): string | undefined {
  return typeof name === 'string' && /^[\w.-]+$/.test(name) && name !== 'idx' ? name : undefined;
}
