import type { CacheParts } from '../cache-parts.js';
import type { EntryDraft } from '../entry/entry-serializer.js';
import type { GetOrSetOptions } from '../options/cache-options.js';
import { lifetimesOf, type Lifetimes } from '../options/call-options.js';
import type { Lookup } from '../lookup/lookup.js';
import type { Stamp } from '../stamps/stamp.js';
import type { Beginning, StampKeeper } from '../stamps/stamp-keeper.js';
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

  /** Has the stamps that the entry will depend on made ready. They have to be known before the factory runs; mostly they are. */
  dependOn(options: GetOrSetOptions | undefined): Dependencies | Promise<Dependencies> {
    const { ttl, stale } = lifetimesOf(options, this.#parts.options);
    const stamps = this.#lookup.stampsOf(options?.tags ?? NO_TAGS);
    const recorded = this.#keeper.ensure(stamps, ttl + stale);
    if (!(recorded instanceof Promise)) return { stamps, recorded };
    return recorded.then((known) => ({ stamps, recorded: known }));
  }

  /** What is to be stored; undefined where nothing is. At once, where its stamps need nothing more. */
  draft(
    { key, options }: Pick<Making, 'key' | 'options'>,
    result: Result,
    before: Dependencies,
  ): NewEntry | undefined | Promise<NewEntry> {
    const { ttl, stale } = result.lifetimes;
    const { isSkipped, tags } = result.wishes;
    if (isSkipped || ttl + stale <= 0) return undefined;
    const early = options?.tags ?? NO_TAGS;
    const late = tags.length === 0 ? NO_TAGS : [...new Set(tags)].filter((tag) => !early.includes(tag));
    const all = [...early, ...late];
    const lengthening = this.#keeper.keep(before.stamps, ttl + stale);
    if (late.length > 0)
      return this.#addLate(before, late, ttl + stale, { began: result, lengthening }).then((dependencies) =>
        this.#entryWith(key, result, all, dependencies),
      );
    // Those from before are kept longer where the factory has asked for a longer life.
    if (lengthening) return lengthening.then(() => this.#entryWith(key, result, all, before));
    return this.#entryWith(key, result, all, before);
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

  /** The stamp of the generation stands last. */
  async #addLate(
    before: Dependencies,
    tags: readonly string[],
    lifetime: number,
    { began, lengthening }: { began: Beginning; lengthening: Promise<unknown> | undefined },
  ): Promise<Dependencies> {
    const stamps = this.#lookup.stampsOf(tags).slice(0, -1);
    const [recorded] = await Promise.all([this.#keeper.ensureLate(stamps, lifetime, began), lengthening]);
    return {
      stamps: [...before.stamps.slice(0, -1), ...stamps, ...before.stamps.slice(-1)],
      recorded: [...before.recorded.slice(0, -1), ...recorded, ...before.recorded.slice(-1)],
    };
  }
}
