/** What {@link Encrypted} takes. `V` is what the property holds. */
export interface EncryptedOptions<V = string> {
  /**
   * Whether records are found by the property: `true` where it is a text, or a function that makes the text of it by which it is found, and that
   * takes away what does not count (spaces, upper case). Equal texts have equal entries in the index: who sees Redis sees which records have
   * the same, and how many have. Better not for what has few values, such as a country. @default false
   */
  index?: boolean | ((value: V) => string);
}

const ENCRYPTED = Symbol('rednest:encrypted-properties');

/** The encrypted properties of a class, and of those that it extends. */
export type EncryptedProperties = ReadonlyMap<string, EncryptedOptions<never>>;

const NONE: EncryptedProperties = new Map();

/**
 * Has `EncryptedRecords` encrypt a property, whatever it holds: a text, a number, an object, bytes. Those without the decorator stay readable
 * in Redis.
 *
 * What class-transformer makes of a record is saved: a record that its decorators mask or leave something out of is refused. Answer with a
 * class of its own, or mask with `\@Transform(…, { groups: ['answer'] })`.
 *
 * @example
 * class PaymentProfile {
 *   \@IsString() holder!: string;
 *   \@Encrypted({ index: (number) => number.replaceAll(/\D/g, '') }) \@IsCreditCard() cardNumber!: string;
 * }
 */
export function Encrypted<V = string>(options: EncryptedOptions<V> = {}): PropertyDecorator {
  return (prototype, property) => {
    if (typeof property === 'symbol')
      throw new TypeError(`@Encrypted on ${String(property)}: a symbol is not saved`);
    const properties = new Map(encryptedPropertiesOf(prototype)).set(property, { ...options });
    Reflect.defineMetadata(ENCRYPTED, properties, prototype);
  };
}

/** @param prototype of the class */
export function encryptedPropertiesOf(prototype: object | null | undefined): EncryptedProperties {
  if (prototype === null || prototype === undefined) return NONE;
  return (Reflect.getMetadata(ENCRYPTED, prototype) as EncryptedProperties | undefined) ?? NONE;
}
