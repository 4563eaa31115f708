import { Injectable, NotFoundException } from '@nestjs/common';
import { CitiesService } from '../cities/cities.service.js';
import { WorkEvents } from './work-events.js';
import { WorkQueue } from './work-queue.js';
import type { WorkItem } from './work.dto.js';

@Injectable()
export class WorkService {
  readonly #queue: WorkQueue;
  readonly #events: WorkEvents;
  readonly #cities: CitiesService;

  constructor(queue: WorkQueue, events: WorkEvents, cities: CitiesService) {
    this.#queue = queue;
    this.#events = events;
    this.#cities = cities;
  }

  /** @throws NotFoundException there is no such city */
  async add(cityId: number): Promise<WorkItem> {
    await this.#cities.assertExists(cityId);
    return this.#queue.add(cityId);
  }

  /**
   * @param wait seconds to wait for the item to be finished
   * @throws NotFoundException
   */
  async findOne(id: string, wait: number): Promise<WorkItem> {
    // Listening starts before the look, or what happens between the two would be missed.
    const finished = wait > 0 ? this.#events.whenFinished(id, wait * 1_000) : Promise.resolve();
    const item = await this.#find(id);
    if (item.state !== 'queued' || wait === 0) return item;
    await finished;
    return this.#find(id);
  }

  async #find(id: string): Promise<WorkItem> {
    const item = await this.#queue.find(id);
    if (!item) throw new NotFoundException(`There is no work ${id}`);
    return item;
  }
}
