import { inspect } from 'node:util';

/** What is told of an error that ends a program: its message alone, unless it is a mistake in the code. */
export function failureText(error: unknown): string {
  if (!(error instanceof Error)) return inspect(error);
  const isMistake = error instanceof TypeError || error instanceof ReferenceError;
  return isMistake ? inspect(error) : error.message;
}
