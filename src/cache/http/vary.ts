import type { OutgoingHttpHeader } from 'node:http';

/** The header names of a `Vary` header, in lower case. */
export function varyNames(header: OutgoingHttpHeader | undefined): string[] {
  if (header === undefined) return [];
  return String(header)
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '');
}

/** A `Vary` header of what is there already and some more names; undefined for none. */
export function mergeVary(
  header: OutgoingHttpHeader | undefined,
  names: readonly string[],
): string | undefined {
  if (header === undefined) return names.length > 0 ? names.join(', ') : undefined;
  const merged = new Map(varyNames(header).map((name) => [name, name]));
  for (const name of names) merged.set(name.toLowerCase(), name);
  return [...merged.values()].join(', ');
}
