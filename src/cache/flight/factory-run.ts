import { parseDuration, type Duration } from '../../redis/index.js';
import type { FactoryContext } from '../options/cache-options.js';
import { LONGEST_AGE } from '../options/cache-option-tree.js';
import { checkTags } from '../options/call-options.js';

/** What a factory has said of its value. */
export interface FactoryWishes {
  /** Milliseconds. */
  ttl?: number;
  /** Milliseconds. */
  stale?: number;
  readonly tags: string[];
  isSkipped: boolean;
}

/** The context of one run of a factory. */
export class FactoryRun implements FactoryContext {
  readonly wishes: FactoryWishes = { tags: [], isSkipped: false };

  constructor(
    readonly key: string,
    readonly stale: unknown,
    readonly signal: AbortSignal,
  ) {}

  ttl(ttl: Duration): void {
    this.wishes.ttl = asAge(ttl, 'ttl');
  }

  staleFor(stale: Duration): void {
    this.wishes.stale = asAge(stale, 'stale');
  }

  tag(...tags: string[]): void {
    checkTags(tags, 'tag');
    this.wishes.tags.push(...tags);
  }

  skip(): void {
    this.wishes.isSkipped = true;
  }
}

/** Milliseconds. Longer than an entry can live is as long as it can: it may be somebody else who has said so, with the value. */
function asAge(age: Duration, name: string): number {
  return Math.min(parseDuration(age, name), LONGEST_AGE);
}
