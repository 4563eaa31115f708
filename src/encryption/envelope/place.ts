/** Where a value stands. What it is bound to of this is up to its {@link Binding}. */
export interface Place {
  /** Of the application or module whose values these are. */
  readonly namespace: string;
  /** The key as the application calls it, '' for what is in no key. */
  readonly key: string;
  /** Field of a hash; '' for the value of a key. */
  readonly field: string;
  /** What else the application says of it; '' for nothing. */
  readonly context: string | Uint8Array;
}

/** No place: what is bound to nothing. */
export const NOWHERE: Place = Object.freeze({ namespace: '', key: '', field: '', context: '' });

/**
 * What an envelope cannot be taken from: its `'key'` (and field, namespace and context), its `'context'` (and namespace) or `'none'`. What is
 * bound to its key fails to decrypt after `RENAME` and `COPY`.
 */
export type Binding = 'key' | 'context' | 'none';

const LONGEST_SHOWN = 120;

/** What stands there, for messages: `The value of 'card:7', field 'number'`. */
export function subjectOf({ key, field }: Place): string {
  if (key === '') return 'The value';
  return `The value of ${show(key)}${field === '' ? '' : `, field ${show(field)}`}`;
}

function show(name: string): string {
  const shown = name.length > LONGEST_SHOWN ? `${name.slice(0, LONGEST_SHOWN)}…` : name;
  return `'${JSON.stringify(shown).slice(1, -1)}'`;
}
