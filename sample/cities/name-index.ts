/**
 * Search by the beginning of a name, on sorted sets in lexicographic order (all scores 0, `ZRANGE … BYLEX`).
 *
 * A member is the folded name, the population and the id, parted by NUL, so that a search needs no second look-up to order what it
 * found. Ordering by population means to read all that matches, and 13,000 names begin with an S in small towns alone. Hence tiers of
 * population: whatever is in one comes before all of the next, and a search stops at the tier that fills its page.
 */

/** A city in the name index. */
export interface NameEntry {
  readonly id: number;
  readonly population: number;
}

/** Smallest population of each tier, largest cities first: some 4,400, 28,000 and 103,000 cities. */
const TIERS = [100_000, 10_000, 0] as const;

export const NAME_TIERS: readonly number[] = TIERS.map((_, tier) => tier);

/** The tier that a city of this population is in. */
export function nameTier(population: number): number {
  return TIERS.findIndex((smallest) => population >= smallest);
}

const SEPARATOR = '\0';

/** Letters that Unicode does not take apart into a base and an accent, though a keyboard without them offers only the base. */
const PLAIN_LETTERS: Readonly<Record<string, string>> = {
  ı: 'i',
  ł: 'l',
  ø: 'o',
  đ: 'd',
  ð: 'd',
  ħ: 'h',
  ə: 'e',
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  þ: 'th',
  '’': "'",
  '‘': "'",
  '`': "'",
};
const UNUSUAL_LETTERS = new RegExp(`[${Object.keys(PLAIN_LETTERS).join('')}]`, 'g');

/** The form in which names are compared: lower case, without accents or control characters. `Zürich` and `ZURICH` are `zurich`. */
export function foldName(name: string): string {
  return name
    .normalize('NFKD')
    .replace(/[\p{M}\p{Cc}]/gu, '')
    .toLowerCase()
    .replace(UNUSUAL_LETTERS, (letter) => PLAIN_LETTERS[letter]!)
    .trimStart();
}

export function nameMember(name: string, { population, id }: NameEntry): string {
  return [foldName(name), population, id].join(SEPARATOR);
}

export function parseNameMember(member: string): NameEntry {
  const [id, population] = member.split(SEPARATOR).toReversed();
  return { id: Number(id), population: Number(population) };
}

/** First and last bound of the members whose name begins with `prefix`, for `ZRANGE … BYLEX`. */
export function nameRange(prefix: string): [Buffer, Buffer] {
  const start = Buffer.from(foldName(prefix));
  // No text in UTF-8 has a byte 0xff: all that begins with the prefix lies below.
  return [
    Buffer.concat([Buffer.from('['), start]),
    Buffer.concat([Buffer.from('('), start, Buffer.of(0xff)]),
  ];
}

/** Largest population first; the id decides between equals, so that an answer is the same each time. */
export function byPopulation(one: NameEntry, other: NameEntry): number {
  return other.population - one.population || one.id - other.id;
}
