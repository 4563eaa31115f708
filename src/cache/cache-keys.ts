const LONE_SURROGATE = /\p{Surrogate}/u;

/** Whether a text is the same after it was in Redis. Half a surrogate pair is not: no change of such a key can be recognised. */
export function isWellFormed(text: string): boolean {
  return !LONE_SURROGATE.test(text);
}

/** How the keys of a cache are called in Redis. All of them begin with one prefix, by which the server tracks them. */
export class CacheKeys {
  readonly prefix: string;

  constructor(readonly namespace: string) {
    this.prefix = `${namespace}:cache:`;
  }

  /** What comes before the user's keys of a cache. */
  entries(cache: string): string {
    return `${this.prefix}e:${cache}:`;
  }

  /** The stamp of a tag. Tags are shared by all caches of the namespace. */
  tag(tag: string): string {
    return `${this.prefix}t:${isWellFormed(tag) ? tag : Buffer.from(tag).toString()}`;
  }

  /** Whether it is the key of a stamp: one that begins with the prefix, and is no entry's. */
  isStamp(key: string): boolean {
    return !key.startsWith('e:', this.prefix.length);
  }

  /** The stamp that every entry of a cache depends on. */
  generation(cache: string): string {
    return `${this.prefix}g:${cache}`;
  }
}
