import { Transform } from 'class-transformer';

/**
 * Turns the text of a query string or of the environment into a number. Anything else is left for the validators to refuse:
 * class-transformer's own `@Type(() => Number)` would make 0 of an empty text, and Null Island of `?lat=&lng=`.
 */
export function ToNumber(): PropertyDecorator {
  return Transform(({ value }: { value: unknown }) =>
    typeof value === 'string' && value.trim() !== '' ? Number(value) : value,
  );
}
