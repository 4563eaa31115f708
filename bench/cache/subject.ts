/** A cache as the cases use it: rednest, its peers and the bare driver alike. */
export interface Subject {
  readonly name: string;
  get(key: string): Promise<unknown>;
  set(key: string, value: unknown, tags?: readonly string[]): Promise<unknown>;
  getOrSet(key: string, factory: () => Promise<unknown>, tags?: readonly string[]): Promise<unknown>;
  /** Undefined where it has no such thing. */
  getMany?(keys: string[]): Promise<readonly unknown[]>;
  getOrSetMany?(keys: string[], value: unknown, tags: readonly string[]): Promise<readonly unknown[]>;
  invalidateTag?(tag: string): Promise<unknown>;
  close(): Promise<unknown>;
}

/** How a subject is set up. Every time to live is ten minutes. */
export interface Tiers {
  readonly local: boolean;
  /** The server, or none. */
  readonly redis?: string;
  /** First part of its keys. */
  readonly namespace: string;
}

export const ttl = 600_000;

export async function closeAll(subjects: readonly Subject[]): Promise<void> {
  await Promise.all(subjects.map((subject) => subject.close()));
}
