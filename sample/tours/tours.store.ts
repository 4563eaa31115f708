import { ConflictException, Injectable } from '@nestjs/common';
import { fencedWrite, InjectRedis, LockService, type RedisClient } from 'rednest';
import { tourKey, tourLock } from './tours.keys.js';

/** Places that a guest has. */
export interface StoredBooking {
  guest: string;
  places: number;
}

/** What is kept of a tour: its next date, and who comes. */
export interface StoredTour {
  date: string;
  bookings: StoredBooking[];
}

/** Keeps a tour as one JSON text, which is read, changed and written back as a whole: by one at a time, then, under the tour's lock. */
@Injectable()
export class ToursStore {
  readonly #redis: RedisClient;
  readonly #locks: LockService;

  constructor(@InjectRedis() redis: RedisClient, locks: LockService) {
    this.#redis = redis;
    this.#locks = locks;
  }

  async read(id: string): Promise<StoredTour | undefined> {
    const stored = await this.#redis.get(tourKey(id));
    return stored === null ? undefined : (JSON.parse(stored) as StoredTour);
  }

  /**
   * To be called under the tour's lock. A process that was paused between reading and writing may have lost that without noticing;
   * then another has written with a larger fence, and what was read is out of date.
   *
   * @throws ConflictException where it is
   */
  async write(id: string, tour: StoredTour): Promise<void> {
    const { fence } = this.#locks.current(tourLock(id));
    const value = JSON.stringify(tour);
    const isWritten = await fencedWrite.run(this.#redis, { key: tourKey(id), value, fence });
    if (!isWritten) throw new ConflictException(`Another has changed tour ${id} meanwhile`);
  }
}
