import { EventEmitter, once } from 'node:events';
import { Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { InjectRedisConnection, type RedisConnection } from 'rednest';
import { workKeys } from './work.keys.js';

/**
 * Hears of finished work from whichever replica did it. A message is lost while the subscriber is away, so it only ever ends a wait
 * early: what is true stands in the item.
 */
@Injectable()
export class WorkEvents implements OnModuleInit, OnModuleDestroy {
  readonly #connection: RedisConnection;
  readonly #finished = new EventEmitter().setMaxListeners(0);
  readonly #stop = new AbortController();

  constructor(@InjectRedisConnection() connection: RedisConnection) {
    this.#connection = connection;
  }

  async onModuleInit(): Promise<void> {
    const subscriber = this.#connection.subscriber();
    subscriber.on('message', (channel: string, id: string) => {
      if (channel === workKeys.finished) this.#finished.emit(id);
    });
    await subscriber.subscribe(workKeys.finished);
  }

  /** Requests that wait are answered now, for the HTTP server waits for them before it closes. */
  onModuleDestroy(): void {
    this.#stop.abort();
  }

  /** Waits until the item is said to be finished, or the milliseconds are over. */
  async whenFinished(id: string, timeout: number): Promise<void> {
    const signal = AbortSignal.any([AbortSignal.timeout(timeout), this.#stop.signal]);
    await once(this.#finished, id, { signal }).catch(() => undefined);
  }
}
