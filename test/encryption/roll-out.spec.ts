import { describe, expect, it } from '@jest/globals';
import type { EncryptionModuleOptions, RedisModuleOptions } from 'rednest';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import { EncryptedApplication, testKey } from './fixtures/encrypted-application.js';

const OLD = testKey('aaaa0001');
const NEW = testKey('bbbb0002');
const STEPS: EncryptionModuleOptions[] = [
  { key: OLD, decryptKeys: [] },
  { key: OLD, decryptKeys: [NEW] },
  { key: NEW, decryptKeys: [OLD] },
  { key: NEW, decryptKeys: [] },
];
const KEYS = Array.from({ length: 60 }, (_, number) => `v:${number}`);
const REPLICAS = 3;

/** A replica that reads and writes all keys for as long as it runs. */
class Replica {
  readonly #application: EncryptedApplication;
  readonly #stop = new AbortController();
  readonly #traffic: Promise<void>;
  rounds = 0;

  private constructor(application: EncryptedApplication, seen: Set<string>) {
    this.#application = application;
    this.#traffic = this.#readAndWrite(seen);
    // Told of where it is stopped.
    this.#traffic.catch(() => undefined);
  }

  static async start(
    redis: RedisModuleOptions,
    options: EncryptionModuleOptions,
    seen: Set<string>,
  ): Promise<Replica> {
    return new Replica(await EncryptedApplication.start(redis, options), seen);
  }

  get application(): EncryptedApplication {
    return this.#application;
  }

  /** Until it has read and written all keys once more, beside the others. @throws what it has failed with */
  async another(): Promise<void> {
    const until = this.rounds + 2;
    await Promise.race([this.#traffic, eventually(() => this.rounds >= until, 15_000)]);
  }

  /** @throws what it has failed with */
  async stop(): Promise<void> {
    this.#stop.abort();
    try {
      await this.#traffic;
    } finally {
      await this.#application.app.close();
    }
  }

  async #readAndWrite(seen: Set<string>): Promise<void> {
    const { store } = this.#application;
    while (!this.#stop.signal.aborted) {
      const values = await store.getMany<{ name: string }>(KEYS);
      const fields = await store.hgetall<number>('hash');
      // Each was written once, and by no replica for another key.
      expect(values.map((value) => value?.name)).toEqual(KEYS);
      for (const name of Object.keys(fields)) seen.add(name);
      expect(Object.keys(fields).length).toBe(seen.size);
      const some = KEYS.filter((_, at) => at % 7 === this.rounds % 7);
      await store.setMany(some.map((name) => [name, { name, by: this.rounds }] as const));
      await store.hset('hash', { [`f${this.rounds % 10}`]: this.rounds });
      this.rounds++;
    }
  }
}

describe('a roll-out of a new key', () => {
  const opened = new Opened();

  it('lets no read fail, at whatever step which replica is', async () => {
    const { options: redis } = await opened.server({});
    const first = opened.add(await EncryptedApplication.start(redis, STEPS[0]!));
    await first.store.setMany(KEYS.map((name) => [name, { name }] as const));
    await first.store.hset('hash', Object.fromEntries(KEYS.slice(0, 10).map((_, at) => [`f${at}`, at])));
    const fields = new Set(Object.keys(await first.store.hgetall('hash')));
    const start = (step: number): Promise<Replica> => Replica.start(redis, STEPS[step]!, fields);
    const replicas = await Promise.all(Array.from({ length: REPLICAS }, () => start(0)));
    const all = () => Promise.all(replicas.map((replica) => replica.another()));
    try {
      await all();
      for (const step of [1, 2, 3]) {
        if (step === 3) {
          const { completed, refused, usage } = await replicas[0]!.application.store.rotate();
          expect({ completed, refused }).toEqual({ completed: true, refused: 0 });
          expect(usage!.removable).toEqual([OLD.id]);
        }
        for (let at = 0; at < REPLICAS; at++) {
          // As in a rolling deploy: the next one is there before the one that it replaces goes.
          const [next, old] = [await start(step), replicas[at]!];
          replicas.push(next);
          await all();
          replicas.splice(at, 1, replicas.pop()!);
          await old.stop();
        }
        await all();
      }
    } finally {
      await Promise.all(replicas.map((replica) => replica.stop()));
    }

    const last = opened.add(await EncryptedApplication.start(redis, STEPS[3]!));
    expect((await last.store.getMany<{ name: string }>(KEYS)).map((value) => value?.name)).toEqual(KEYS);
    expect((await last.store.keyUsage()).keys).toEqual([
      { keyId: NEW.id, role: 'primary', values: KEYS.length, fields: 10, indexEntries: 0 },
    ]);
  }, 60_000);
});
