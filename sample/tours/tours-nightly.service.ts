import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { Cron } from '@nestjs/schedule';
import { Locked } from 'rednest';
import { catalogue } from './tours.catalogue.js';
import { ToursService } from './tours.service.js';

/** Gives tours that have taken place their next date: at night, in one of the replicas, and at start where a tour never had one. */
@Injectable()
export class ToursNightly implements OnApplicationBootstrap {
  readonly #tours: ToursService;
  readonly #logger = new Logger(ToursNightly.name);

  constructor(tours: ToursService) {
    this.#tours = tours;
  }

  async onApplicationBootstrap(): Promise<void> {
    await this.#moveOn();
  }

  /**
   * The timers of all replicas fire, within the seconds by which their clocks differ: the first one does the job, and for a minute
   * after its start no other finds it undone. What goes wrong stands in the log, and the next night tries again.
   *
   * @returns how many tours got their next date; undefined where another replica does the job, or has just done it
   */
  @Cron('5 0 * * *', { timeZone: 'UTC' })
  @Locked({ key: 'nightly', atLeastFor: '1m', atMostFor: '10m', onContention: 'skip' })
  async run(): Promise<number | undefined> {
    const moved = await this.#moveOn();
    this.#logger.log(`The nightly job is done: ${moved} tours got their next date`);
    return moved;
  }

  async #moveOn(): Promise<number> {
    const moved = await Promise.all(catalogue.map(({ id }) => this.#tours.moveOn(id)));
    return moved.filter(Boolean).length;
  }
}
