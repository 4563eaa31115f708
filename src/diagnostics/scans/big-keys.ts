import { RedisClusterError, RedisError, type RedisConnection } from '../../redis/index.js';
import { HIDDEN, type KeyQuestions, type Question } from './key-questions.js';
import { KeyScan, type Note, type ScanOutcome } from './key-scan.js';
import { reportedKey } from './key-text.js';
import type { ResolvedBigKeysOptions } from './resolve-scan-options.js';
import type { BigKey, BigKeysReport, TypeTotal } from './scan-reports.js';
import { TopKeys, type Measured } from './top-keys.js';

type Measure = 'bytes' | 'elements';

const TYPE: Question = { part: 'TYPE', send: (pipeline, key) => pipeline.type(key) };

const BYTES: Question = {
  part: 'MEMORY USAGE',
  send: (pipeline, key) => pipeline.memory('USAGE', key),
};

const STRING_BYTES: Question = { part: 'STRLEN', send: (pipeline, key) => pipeline.strlen(key) };

/** By the type. */
const ELEMENTS: ReadonlyMap<unknown, Question> = new Map<unknown, Question>([
  ['string', STRING_BYTES],
  ['list', { part: 'LLEN', send: (pipeline, key) => pipeline.llen(key) }],
  ['hash', { part: 'HLEN', send: (pipeline, key) => pipeline.hlen(key) }],
  ['set', { part: 'SCARD', send: (pipeline, key) => pipeline.scard(key) }],
  ['zset', { part: 'ZCARD', send: (pipeline, key) => pipeline.zcard(key) }],
  ['stream', { part: 'XLEN', send: (pipeline, key) => pipeline.xlen(key) }],
]);

/** Keys whose other measure is asked for in one trip. */
const LISTED_TOGETHER = 100;

/** A key that is there. */
interface SeenKey {
  readonly key: Buffer;
  /** Undefined where it is not told. */
  readonly type: string | undefined;
  readonly size: number | undefined;
}

interface Sizes {
  readonly top: TopKeys<Measured & Pick<SeenKey, 'type'>>;
  readonly byType: Map<string, { keys: number; size: number }>;
}

type ListedKey = Measured & Pick<SeenKey, 'type'> & { readonly questions: KeyQuestions };

/** Finds the biggest keys, and how much there is of each type. @throws as {@link KeyScan.run} */
export async function bigKeys(
  connection: RedisConnection,
  options: ResolvedBigKeysOptions,
): Promise<BigKeysReport> {
  const scan = new KeyScan<Sizes>(connection, options);
  const by = options.by === 'bytes' && (await scan.isAnswered(BYTES)) ? 'bytes' : 'elements';
  const see = by === 'bytes' ? seeBytes : seeElements;
  const outcome = await scan.run({
    newTally: () => ({ top: new TopKeys(options.top), byType: new Map() }),
    look: async (keys, questions) => noteOf(await see(keys, questions)),
  });
  const { servers, ...report } = outcome;
  const listed = biggestOf(servers, options.top);
  // To ask a server that has been waited for in vain would be to wait once more.
  const isAway = report.failure?.retryable && !(report.failure instanceof RedisClusterError);
  const others = isAway ? [] : await otherMeasures(listed, by);
  return {
    ...report,
    by,
    keys: listed.map((key, position) => bigKeyOf(key, by, others[position])),
    byType: totalsOf(servers, by),
  };
}

async function seeBytes(keys: readonly Buffer[], questions: KeyQuestions): Promise<SeenKey[]> {
  const answers = await questions.ask(keys.map((key) => [key, [BYTES, TYPE]]));
  return answers.flatMap(([bytes, type], position) => {
    const isThere = bytes !== null && type !== 'none' && bytes !== HIDDEN && type !== HIDDEN;
    // One without any answer is on its way to another master.
    if (!isThere || (bytes === undefined && type === undefined)) return [];
    return { key: keys[position]!, type: asText(type), size: asNumber(bytes) };
  });
}

async function seeElements(keys: readonly Buffer[], questions: KeyQuestions): Promise<SeenKey[]> {
  const types = await questions.ask(keys.map((key) => [key, [TYPE]]));
  const seen = types.flatMap(([type], position) => {
    const isThere = type !== 'none' && type !== HIDDEN;
    if (!isThere || (type === undefined && !questions.omissionOf(TYPE))) return [];
    return { key: keys[position]!, type: asText(type) };
  });
  const sizes = await questions.ask(seen.map(({ key, type }) => [key, elementsQuestion(type)]));
  return seen.flatMap((key, position) => {
    const [size] = sizes[position]!;
    // No collection is empty: it is gone.
    if (size === 0 && key.type !== 'string' && key.type !== 'stream') return [];
    return { ...key, size: asNumber(size) };
  });
}

function elementsQuestion(type: string | undefined): readonly Question[] {
  const question = ELEMENTS.get(type);
  return question ? [question] : [];
}

function noteOf(seen: readonly SeenKey[]): Note<Sizes> {
  return ({ top, byType }) => {
    for (const { key, type, size } of seen) {
      if (size !== undefined) top.add({ key, type, size });
      addTo(byType, type ?? 'unknown', { keys: 1, size: size ?? 0 });
    }
  };
}

function addTo(byType: Sizes['byType'], type: string, more: { keys: number; size: number }): void {
  const total = byType.get(type);
  if (!total) return void byType.set(type, { ...more });
  total.keys += more.keys;
  total.size += more.size;
}

function biggestOf(servers: ScanOutcome<Sizes>['servers'], room: number): ListedKey[] {
  const all = new TopKeys<ListedKey>(room);
  for (const { questions, tally } of servers)
    for (const key of tally.top.sorted()) all.add({ ...key, questions });
  return all.sorted();
}

function totalsOf(servers: ScanOutcome<Sizes>['servers'], by: Measure): BigKeysReport['byType'] {
  const totals: Sizes['byType'] = new Map();
  for (const { tally } of servers) for (const [type, total] of tally.byType) addTo(totals, type, total);
  const sorted = [...totals].toSorted(([, left], [, right]) => right.size - left.size);
  return Object.fromEntries(
    sorted.map(([type, { keys, size }]): [string, TypeTotal] => [type, { keys, [by]: size }]),
  );
}

/** Of the keys that are listed, what they are not listed by; undefined where it is not told. */
async function otherMeasures(listed: readonly ListedKey[], by: Measure): Promise<(number | undefined)[]> {
  const others: (number | undefined)[] = listed.map(() => undefined);
  for (const questions of new Set(listed.map((key) => key.questions))) {
    const positions = [...listed.keys()].filter((position) => listed[position]!.questions === questions);
    for (let from = 0; from < positions.length; from += LISTED_TOGETHER) {
      const some = positions.slice(from, from + LISTED_TOGETHER);
      const sizes = await sizesOf(
        some.map((position) => listed[position]!),
        by,
        questions,
      );
      for (const [at, position] of some.entries()) others[position] = sizes[at];
    }
  }
  return others;
}

async function sizesOf(
  keys: readonly ListedKey[],
  by: Measure,
  questions: KeyQuestions,
): Promise<(number | undefined)[]> {
  const asked = keys.map(
    ({ key, type }) => [key, by === 'elements' ? [BYTES] : elementsQuestion(type)] as const,
  );
  try {
    return (await questions.ask(asked)).map(([size]) => asNumber(size));
  } catch (error) {
    // What was found stands without it.
    if (error instanceof RedisError) return keys.map(() => undefined);
    throw error;
  }
}

function bigKeyOf({ key, type, size, questions }: ListedKey, by: Measure, other: number | undefined): BigKey {
  const [bytes, elements] = by === 'bytes' ? [size, other] : [other, size];
  return { node: questions.node, ...reportedKey(key), type, bytes, elements };
}

function asNumber(answer: unknown): number | undefined {
  return typeof answer === 'number' ? answer : undefined;
}

function asText(answer: unknown): string | undefined {
  return typeof answer === 'string' ? answer : undefined;
}
