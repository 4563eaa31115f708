import type { CacheParts } from '../cache-parts.js';
import type { EntryDraft } from '../entry/entry-serializer.js';
import type { GetOrSetOptions } from '../options/cache-options.js';
import { lifetimesOf, type Lifetimes } from '../options/call-options.js';
import type { Lookup } from '../lookup/lookup.js';
import { AWAY, type Away } from '../remote/away.js';
import { NO_STAMP, type Stamp } from '../stamps/stamp.js';
import type { StampKeeper } from '../stamps/stamp-keeper.js';
import type { NewEntry } from '../store/entry-writer.js';
import type { FactoryWishes } from './factory-run.js';
import type { Making } from './value-maker.js';

const NO_TAGS: readonly string[] = Object.freeze([]);

/** What a run of a factory has given. */
export interface Result {
  readonly kind: EntryDraft['kind'];
  readonly value: unknown;
  readonly born: number;
  /** The same moment, by `performance.now()`. */
  readonly began: number;
  /** Milliseconds that it took. */
  readonly cost: number;
  readonly lifetimes: Lifetimes;
  readonly wishes: FactoryWishes;
}

/** The stamps that an entry depends on, and as they were before its factory ran. */
export interface Dependencies {
  readonly stamps: readonly Stamp[];
  readonly recorded: readonly number[];
}

/** Makes of what factories give the entries that are stored, with the stamps that those depend on. */
export class EntryDrafter {
  readonly #parts: CacheParts;
  readonly #lookup: Lookup;
  readonly #keeper: StampKeeper;

  constructor(parts: CacheParts, lookup: Lookup, keeper: StampKeeper) {
    this.#parts = parts;
    this.#lookup = lookup;
    this.#keeper = keeper;
  }

  /**
   * Has the stamps that the entry will depend on made ready. They have to be known before the factory runs; mostly they are.
   *
   * @returns `AWAY` where Redis did not answer in time
   */
  dependOn(options: GetOrSetOptions | undefined): Dependencies | Promise<Dependencies | Away> {
    const { ttl, stale } = lifetimesOf(options, this.#parts.options);
    const stamps = this.#lookup.stampsOf(options?.tags ?? NO_TAGS);
    const recorded = this.#keeper.ensure(stamps, ttl + stale);
    if (!(recorded instanceof Promise)) return { stamps, recorded };
    return recorded.then((known) => (known === AWAY ? AWAY : { stamps, recorded: known }));
  }

  /**
   * What is to be stored; undefined where nothing is, `AWAY` where Redis did not answer in time. At once, where its stamps need nothing more.
   */
  draft(
    { key, options }: Pick<Making, 'key' | 'options'>,
    result: Result,
    before: Dependencies,
  ): NewEntry | undefined | Promise<NewEntry | Away> {
    const tags = tagsOf(options, result);
    if (!tags) return undefined;
    const lifetime = result.lifetimes.ttl + result.lifetimes.stale;
    // Those from before are kept longer where the factory has asked for a longer life.
    const lengthening = this.#keeper.keep(before.stamps, lifetime);
    if (tags.late.length === 0 && !lengthening) return this.#entryWith(key, result, tags.all, before);
    const late = this.#lateStamps(tags.late);
    const ensuring = late.length === 0 ? [] : this.#keeper.ensureLate(late, lifetime, result);
    return Promise.all([ensuring, lengthening]).then(([recorded, lengthened]) => {
      if (recorded === AWAY || lengthened === AWAY) return AWAY;
      return this.#entryWith(key, result, tags.all, withLate(before, late, recorded));
    });
  }

  /** The same of what stays in this process: Redis need not keep its stamps, and is not waited for. */
  draftAlone(
    { key, options }: Pick<Making, 'key' | 'options'>,
    result: Result,
    before: Dependencies,
  ): NewEntry | undefined {
    const tags = tagsOf(options, result);
    if (!tags) return undefined;
    const late = this.#lateStamps(tags.late);
    const isShared = this.#parts.tier !== undefined;
    const recorded = late.map(({ recent, recentSince }) =>
      isShared && recentSince > result.began ? NO_STAMP : recent,
    );
    return this.#entryWith(key, result, tags.all, withLate(before, late, recorded));
  }

  #entryWith(
    key: string,
    { kind, value, born, cost, lifetimes }: Result,
    tags: readonly string[],
    { stamps, recorded }: Dependencies,
  ): NewEntry {
    const { ttl, stale, jitter } = lifetimes;
    const freshUntil = this.#parts.clock.now() + ttl * (1 - jitter * Math.random());
    const staleUntil = freshUntil + stale;
    return {
      key,
      draft: { kind, value, born, freshUntil, staleUntil, cost, tags, stamps: recorded },
      stamps,
    };
  }

  /** Without that of the generation, which is there from before. */
  #lateStamps(tags: readonly string[]): readonly Stamp[] {
    return tags.length === 0 ? [] : this.#lookup.stampsOf(tags).slice(0, -1);
  }
}

/** Of an entry: all, and those that its factory has named; undefined where nothing is to be stored. */
function tagsOf(
  options: GetOrSetOptions | undefined,
  { lifetimes, wishes }: Result,
): { all: readonly string[]; late: readonly string[] } | undefined {
  if (wishes.isSkipped || lifetimes.ttl + lifetimes.stale <= 0) return undefined;
  const early = options?.tags ?? NO_TAGS;
  if (wishes.tags.length === 0) return { all: [...early], late: NO_TAGS };
  const late = [...new Set(wishes.tags)].filter((tag) => !early.includes(tag));
  return { all: [...early, ...late], late };
}

/** The stamp of the generation stands last. */
function withLate(before: Dependencies, stamps: readonly Stamp[], recorded: readonly number[]): Dependencies {
  if (stamps.length === 0) return before;
  return {
    stamps: [...before.stamps.slice(0, -1), ...stamps, ...before.stamps.slice(-1)],
    recorded: [...before.recorded.slice(0, -1), ...recorded, ...before.recorded.slice(-1)],
  };
}
