import { Injectable, Logger } from '@nestjs/common';
import { type EventGap, Subscribe } from 'rednest';
import { CitiesService } from '../cities.service.js';
import type { City } from '../city.dto.js';
import { CityUpdated } from '../city-updated.event.js';

/** Cities that are kept. */
const MOST = 1_000;

/**
 * Cities that were looked up lately, kept in the memory of this process: each view is shown to every client of the live feed, and Redis need
 * not be asked each time. What all replicas are told of, when a city is updated, keeps them right.
 */
@Injectable()
export class KnownCities {
  readonly #cities: CitiesService;
  readonly #logger = new Logger(KnownCities.name);
  /**
   * Look-ups rather than what they found: one that an update overtakes is dropped with the others, and cannot put back the city as it was.
   */
  readonly #known = new Map<number, Promise<City>>();

  constructor(cities: CitiesService) {
    this.#cities = cities;
  }

  /** @throws NotFoundException */
  find(id: number): Promise<City> {
    const known = this.#known.get(id);
    if (known) return known;
    const lookUp = this.#cities.findOne(id);
    this.#known.set(id, lookUp);
    lookUp.catch(() => this.#known.delete(id));
    const [oldest] = this.#known.keys();
    if (this.#known.size > MOST) this.#known.delete(oldest!);
    return lookUp;
  }

  @Subscribe(CityUpdated, { onGap: 'forgetAll' })
  forget({ city, name, population }: CityUpdated): void {
    this.#known.delete(city);
    this.#logger.log(`${name} (${city}) was updated: population ${population}`);
  }

  /** Who may have missed an update no longer knows which city is right: each is looked up again when it is asked for. */
  forgetAll({ since }: EventGap): void {
    this.#known.clear();
    this.#logger.log(
      `Updates may have been missed since ${since.toISOString()}: all cities are looked up again`,
    );
  }
}
