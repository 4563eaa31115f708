import { Injectable } from '@nestjs/common';
import { InjectRedis, type RedisClient } from 'rednest';
import { tourKey } from './tours.keys.js';

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

  constructor(@InjectRedis() redis: RedisClient) {
    this.#redis = redis;
  }

  async read(id: string): Promise<StoredTour | undefined> {
    const stored = await this.#redis.get(tourKey(id));
    return stored === null ? undefined : (JSON.parse(stored) as StoredTour);
  }

  async write(id: string, tour: StoredTour): Promise<void> {
    await this.#redis.set(tourKey(id), JSON.stringify(tour));
  }
}
