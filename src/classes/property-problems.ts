import type { ValidationError } from 'class-validator';

/** What is wrong with a property. */
export interface PropertyProblem {
  /** Path of the property, `address.street`; '' for the whole. */
  readonly property: string;
  readonly message: string;
}

/** Makes the message of a problem: of the property, what it did not pass, and what class-validator says of it. */
type Message = (property: string, constraint: string, message: string) => string;

/** What class-validator has found, as a list. */
export function problemsOf(
  errors: readonly ValidationError[],
  messageOf: Message = (_property, _constraint, message) => message,
): PropertyProblem[] {
  return errors.flatMap((error) => flatten(error, '', messageOf));
}

function flatten(
  { property, constraints, children }: ValidationError,
  path: string,
  messageOf: Message,
): PropertyProblem[] {
  // An error of the whole has no property, whatever its type says.
  const place = `${path}${property ?? ''}`;
  const own = Object.entries(constraints ?? {}).map(([constraint, message]) => ({
    property: place,
    message: messageOf(place, constraint, `${path}${message}`),
  }));
  return [...own, ...(children ?? []).flatMap((child) => flatten(child, `${place}.`, messageOf))];
}
