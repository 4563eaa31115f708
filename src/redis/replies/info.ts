/** Fields of a value that is itself a list: `keys=3,expires=1`. */
export class InfoRecord {
  readonly #fields: ReadonlyMap<string, string>;

  constructor(fields: ReadonlyMap<string, string>) {
    this.#fields = fields;
  }

  /** Undefined where the server does not tell. */
  text(field: string): string | undefined {
    return this.#fields.get(field);
  }

  /** Undefined where the server does not tell, or not with a number. */
  number(field: string): number | undefined {
    const text = this.#fields.get(field);
    if (text === undefined || text === '') return undefined;
    const number = Number(text);
    return Number.isFinite(number) ? number : undefined;
  }

  /** 0 where the server does not tell. */
  count(field: string): number {
    return this.number(field) ?? 0;
  }

  isSet(field: string): boolean {
    return this.#fields.get(field) === '1';
  }
}

/**
 * A reply of `INFO` (https://redis.io/docs/latest/commands/info/). Servers and their versions differ in what they tell: every field may be
 * missing.
 */
export class Info extends InfoRecord {
  readonly #lines: ReadonlyMap<string, string>;

  constructor(text: string) {
    const lines = fieldsOf(
      text.split(/\r?\n/).filter((line) => !line.startsWith('#')),
      ':',
    );
    super(lines);
    this.#lines = lines;
  }

  /** Those whose name matches, with what the first group of the pattern has found in it. */
  records(pattern: RegExp): { readonly name: string; readonly record: InfoRecord }[] {
    return [...this.#lines].flatMap(([field, value]) => {
      const name = pattern.exec(field)?.[1];
      return name === undefined ? [] : [{ name, record: new InfoRecord(fieldsOf(value.split(','), '=')) }];
    });
  }
}

/** By the first separator: an IPv6 address may be in the value. */
function fieldsOf(lines: readonly string[], separator: string): Map<string, string> {
  const fields = new Map<string, string>();
  for (const line of lines) {
    const end = line.indexOf(separator);
    if (end > 0) fields.set(line.slice(0, end), line.slice(end + 1));
  }
  return fields;
}
