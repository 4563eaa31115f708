/** Fields of a stream's entry, names and values in turn. */
export type Fields = readonly string[];

/** What was published, of the fields of a stream's entry. */
export function rawOf(fields: Fields): string | undefined {
  return fields[0] === 'e' ? fields[1] : valueOf(fields, 'e');
}

/** The value of a field; undefined where there is none of that name. */
export function valueOf(fields: Fields, name: string): string | undefined {
  for (let index = 0; index < fields.length; index += 2) if (fields[index] === name) return fields[index + 1];
  return undefined;
}
