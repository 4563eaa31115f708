import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { Cron } from '@nestjs/schedule';
import { Locked, LockService } from 'rednest';
import { catalogue } from './tours.catalogue.js';
import { ToursService } from './tours.service.js';

/** Gives tours that have taken place their next date: at night, in one of the replicas, and at start where a tour never had one. */
@Injectable()
export class ToursNightly implements OnApplicationBootstrap {
  readonly #tours: ToursService;
  readonly #locks: LockService;
  readonly #logger = new Logger(ToursNightly.name);

  constructor(tours: ToursService, locks: LockService) {
    this.#tours = tours;
    this.#locks = locks;
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
  @Locked({ key: 'nightly', atLeastFor: '1m', atMostFor: '10m', onContention: 'skip' })
  @Cron('5 0 * * *', { timeZone: 'UTC' })
  async run(): Promise<number | undefined> {
    const moved = await this.#moveOn(this.#locks.current().signal);
    this.#logger.log(`The nightly job is done: ${moved} tours got their next date`);
    return moved;
  }

  /** One tour after the other. Who has lost the lock leaves the rest to another, by an error. */
  async #moveOn(lock?: AbortSignal): Promise<number> {
    let moved = 0;
    for (const { id } of catalogue) {
      lock?.throwIfAborted();
      if (await this.#tours.moveOn(id)) moved++;
    }
    return moved;
  }
}
