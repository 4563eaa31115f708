import type { RedisError } from '../../redis/index.js';
import type { Channel } from './channels.js';

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: RedisError) => void;
}

/** What a channel is subscribed to with. */
interface Node {
  readonly lastGood: number;
}

/** A channel that somebody wants to be subscribed to. */
export class WantedChannel {
  readonly channel: Channel;
  /** How many want it. */
  takers = 0;
  #node: Node | undefined;
  #lostSince: number | undefined;
  #waiters: Waiter[] = [];

  constructor(channel: Channel) {
    this.channel = channel;
  }

  /** Where it is subscribed to. */
  get node(): Node | undefined {
    return this.#node;
  }

  /** Since when it is not subscribed to any more, in milliseconds since 1970. */
  get lostSince(): number | undefined {
    return this.#lostSince;
  }

  /** Resolves when it is subscribed to. @throws RedisError where the server refuses it */
  confirmed(): Promise<void> {
    if (this.#node) return Promise.resolve();
    return new Promise((resolve, reject) => this.#waiters.push({ resolve, reject }));
  }

  /** @returns since when messages may have been missed; undefined where none were */
  confirm(node: Node): number | undefined {
    // Its slot has moved, and the new master was faster to confirm than the old one to end it.
    const since = this.#lostSince ?? this.#node?.lastGood;
    this.#node = node;
    this.#lostSince = undefined;
    for (const { resolve } of this.#waiters.splice(0)) resolve();
    return since;
  }

  lose(node: Node, since: number): void {
    if (this.#node !== node) return;
    this.#node = undefined;
    this.#lostSince ??= since;
  }

  refuse(error: RedisError): void {
    for (const { reject } of this.#waiters.splice(0)) reject(error);
  }
}
