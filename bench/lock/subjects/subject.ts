/** Locks as the cases use them: rednest, its peers and bare commands alike. */
export interface Subject {
  readonly name: string;
  /** Waits for as long as others hold the resource; bare commands do not wait, and must be alone. */
  acquire(resource: string): Promise<Held>;
  /** Acquires what is renewed until it is released. Undefined where it has no such thing. */
  keep?(resource: string): Promise<Held>;
  close(): Promise<unknown>;
}

export interface Held {
  release(): Promise<unknown>;
}

/** How a subject is set up. */
export interface Place {
  readonly url: string;
  /** First part of its keys. */
  readonly namespace: string;
}

export type Opener = (place: Place) => Promise<Subject>;

/** Of every lock, in milliseconds. */
export const ttl = 10_000;

export async function closeAll(subjects: readonly Subject[]): Promise<void> {
  await Promise.all(subjects.map((subject) => subject.close()));
}
