import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { toRedisError } from 'rednest';
import { CitiesService } from '../cities/cities.service.js';
import type { NearbyCity } from '../cities/city.dto.js';
import { WorkQueue } from './work-queue.js';

const NEIGHBOURS = 10;
const NEIGHBOURHOOD_KM = 100;

/** Milliseconds between two tries while Redis is away. */
const PAUSE = 1_000;

/** Milliseconds that a shutdown waits for the item in hand. The connection, closed after this, cuts off what is left. */
const STOP_DEADLINE = 3_000;

/** Does what is on the work list, one item after the other, from start to shutdown. */
@Injectable()
export class WorkWorker implements OnApplicationBootstrap, OnModuleDestroy {
  readonly #queue: WorkQueue;
  readonly #cities: CitiesService;
  readonly #logger = new Logger(WorkWorker.name);
  readonly #stop = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(queue: WorkQueue, cities: CitiesService) {
    this.#queue = queue;
    this.#cities = cities;
  }

  onApplicationBootstrap(): void {
    this.#running = this.#run(this.#stop.signal);
  }

  async onModuleDestroy(): Promise<void> {
    this.#stop.abort();
    await Promise.race([this.#running, sleep(STOP_DEADLINE, undefined, { ref: false })]);
  }

  async #run(stop: AbortSignal): Promise<void> {
    let recovered = false;
    let paused = false;
    while (!stop.aborted) {
      try {
        if (!recovered) await this.#recover();
        recovered = true;
        const id = await this.#queue.take(stop);
        if (paused) this.#logger.log('Work goes on');
        paused = false;
        if (id !== null) await this.#work(id);
      } catch (error) {
        if (stop.aborted) return;
        if (!paused) this.#logger.warn(`Work pauses: ${toRedisError(error)?.message ?? String(error)}`);
        paused = true;
        recovered = false; // what was in hand is on the processing list
        await sleep(PAUSE, undefined, { signal: stop }).catch(() => undefined);
      }
    }
  }

  async #recover(): Promise<void> {
    const count = await this.#queue.recover();
    if (count > 0) this.#logger.log(`${count} items that were taken and not finished are queued again`);
  }

  /** @throws the error of Redis that kept the item from being finished, and that may pass */
  async #work(id: string): Promise<void> {
    const item = await this.#queue.find(id);
    if (!item) return this.#queue.drop(id);
    try {
      await this.#queue.finish(id, { state: 'done', neighbours: await this.#neighbours(item.cityId) });
    } catch (error) {
      if (toRedisError(error)?.retryable) throw error;
      this.#logger.error(`Item ${id} failed`, error instanceof Error ? error.stack : error);
      await this.#queue.finish(id, { state: 'failed' });
    }
  }

  async #neighbours(cityId: number): Promise<NearbyCity[]> {
    const { latitude: lat, longitude: lng } = await this.#cities.findOne(cityId);
    // One more than wanted: the nearest is, as a rule, the city itself.
    const around = await this.#cities.near({ lat, lng, km: NEIGHBOURHOOD_KM, limit: NEIGHBOURS + 1 });
    return around.filter(({ id }) => id !== cityId).slice(0, NEIGHBOURS);
  }
}
