import { Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import { EventBus } from 'rednest';
import { CityViewed } from '../visits/city-viewed.event.js';
import { KnownCities } from './known-cities.js';
import type { LiveView } from './live.dto.js';

/** Views that wait for one client. One that is slower than they come misses the oldest, and holds up nobody. */
const BUFFER = 100;

/** Shows views as they come, whichever replica they come to. */
@Injectable()
export class LiveFeed implements OnModuleDestroy {
  readonly #bus: EventBus;
  readonly #cities: KnownCities;
  readonly #logger = new Logger(LiveFeed.name);
  readonly #stop = new AbortController();

  constructor(bus: EventBus, cities: KnownCities) {
    this.#bus = bus;
    this.#cities = cities;
  }

  /** The bus has ended all streams by now, but not what their clients have not taken yet. */
  onModuleDestroy(): void {
    this.#stop.abort();
  }

  /** Aborted at shutdown, for who writes to clients. */
  get stopped(): AbortSignal {
    return this.#stop.signal;
  }

  /** The views from now on, for one client; they end when its signal is aborted, and at shutdown. */
  async *views(signal: AbortSignal): AsyncGenerator<LiveView, void, undefined> {
    const stream = this.#bus.stream(CityViewed, { buffer: BUFFER, overflow: 'drop-oldest', signal });
    for await (const { city } of stream) {
      const view = await this.#show(city);
      if (view) yield view;
    }
  }

  /** A city that cannot be looked up at the moment is left out: the feed goes on. */
  async #show(city: number): Promise<LiveView | undefined> {
    try {
      const { id, name, country, population } = await this.#cities.find(city);
      return { id, name, country, population };
    } catch (error) {
      this.#logger.debug(`A view of city ${city} is not shown: ${String(error)}`);
      return undefined;
    }
  }
}
