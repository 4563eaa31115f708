import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { RedisConnection } from '../../redis/index.js';
import { ListeningCoherence, type ListeningOptions } from './listening-coherence.js';

/** Keys that wait to be announced, above which others are told that any key may have changed. */
const MOST_KEYS = 10_000;

/** When an announcement that did not get through is repeated, in milliseconds. */
const RETRY_DELAY = 1_000;

/** What is published: who has changed which keys; null stands for any key. */
type Announcement = readonly [sender: string, keys: readonly string[] | null];

/**
 * The processes tell each other of the keys that they change, on one channel. What others do to the keys, expiry and eviction are not
 * told of. On a Cluster every master is listened to: its nodes pass messages on to each other, and an announcement may come repeatedly.
 */
export class PubSubCoherence extends ListeningCoherence {
  readonly mode = 'pubsub';
  readonly #connection: RedisConnection;
  readonly #channel: string;
  readonly #sender = randomUUID();
  #changed = new Set<string>();
  #everything = false;
  #scheduled = false;
  #retry: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(options: ListeningOptions) {
    super(options);
    this.#connection = options.connection;
    this.#channel = changesChannel(options.namespace);
  }

  /** Collects what is announced in one turn of the event loop. What cannot be sent is sent later. */
  announce(keys: readonly string[]): void {
    if (this.#stopped) return;
    for (const key of keys) this.#changed.add(key);
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => this.#send());
  }

  override async stop(): Promise<void> {
    clearTimeout(this.#retry);
    // Before the shared client is told to close, which lets what it was given be answered.
    this.#send();
    this.#stopped = true;
    await super.stop();
  }

  /** Armed when an announcement can be sent, too: a user who may only listen would leave the others in the dark. */
  protected async arm(client: Redis): Promise<void> {
    await client.subscribe(this.#channel);
    await this.#publish([this.#sender, []]);
  }

  protected read(_channel: string, payload: unknown): readonly string[] | undefined {
    const [sender, keys] = parse(String(payload));
    if (sender === this.#sender) return [];
    // What is not understood may come from a newer version, and tell of a change.
    return Array.isArray(keys) ? keys.map(String) : undefined;
  }

  protected shardName(): string {
    return '';
  }

  #send(): void {
    this.#scheduled = false;
    const keys = this.#everything || this.#changed.size > MOST_KEYS ? null : [...this.#changed];
    this.#changed = new Set();
    this.#everything = false;
    if (keys?.length === 0) return;
    this.#publish([this.#sender, keys]).catch(() => this.#sendLater(keys));
  }

  #sendLater(keys: readonly string[] | null): void {
    if (this.#stopped) return;
    this.#everything ||= keys === null;
    for (const key of keys ?? []) this.#changed.add(key);
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.#send(), RETRY_DELAY).unref();
  }

  async #publish(announcement: Announcement): Promise<void> {
    await this.#connection.client.publish(this.#channel, JSON.stringify(announcement));
  }
}

/** The channel on which the processes of a namespace tell each other of changes. */
export function changesChannel(namespace: string): string {
  return `${namespace}:cache:changed`;
}

function parse(text: string): readonly unknown[] {
  try {
    const message: unknown = JSON.parse(text);
    return Array.isArray(message) ? message : [];
  } catch {
    return [];
  }
}
