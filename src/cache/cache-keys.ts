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
    return `${this.prefix}t:${tag}`;
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
