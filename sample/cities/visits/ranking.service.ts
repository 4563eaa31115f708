import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { fencedWrite, InjectRedis, type LeaderTerm, LockService, type RedisClient } from 'rednest';
import { dateOf } from '../../common/date.js';
import { CitiesService } from '../cities.service.js';
import type { Ranking } from './visits.dto.js';
import { visitKeys } from './visits.keys.js';

/** Cities that are ranked. */
const RANKED = 100;

/** From one ranking to the next. */
const EVERY = '2s';

/** A ranking takes some milliseconds. One that hangs, since Redis does not answer, holds up nobody for longer: neither a shutdown nor the next leader. */
const GRACE = '1s';

/** The ranking as it is kept. */
interface StoredRanking {
  date: string;
  refreshedAt: string;
  visits: [cityId: number, visits: number][];
}

/**
 * The most visited cities of the day. To rank them takes all counters of the day, too much for each request: one replica, the leader, does it
 * now and then for all. When it stops, or is no longer heard of, another takes over.
 */
@Injectable()
export class RankingService implements OnApplicationBootstrap {
  readonly #redis: RedisClient;
  readonly #locks: LockService;
  readonly #cities: CitiesService;
  readonly #logger = new Logger(RankingService.name);

  constructor(@InjectRedis() redis: RedisClient, locks: LockService, cities: CitiesService) {
    this.#redis = redis;
    this.#locks = locks;
    this.#cities = cities;
  }

  /** Stands for election until the application shuts down. */
  onApplicationBootstrap(): void {
    this.#locks.leader('ranking', { grace: GRACE }).start({
      elected: (term) => this.#lead(term),
      deposed: () => this.#logger.log('No longer ranks the cities'),
    });
  }

  /** The most visited first, as they were when the ranking was made. */
  async find(limit: number): Promise<Ranking> {
    const text = await this.#redis.get(visitKeys.ranking);
    if (text === null) return { date: dateOf(Date.now()), refreshedAt: null, cities: [] };
    const { date, refreshedAt, visits } = JSON.parse(text) as StoredRanking;
    const counts = new Map(visits.slice(0, limit));
    const cities = await this.#cities.findMany([...counts.keys()]);
    const ranked = cities.map((city) => Object.assign(city, { visits: counts.get(city.id)! }));
    return { date, refreshedAt, cities: ranked };
  }

  async #lead(term: LeaderTerm): Promise<void> {
    this.#logger.log('Ranks the cities from now on');
    do await this.#refresh(term);
    while (await term.sleep(EVERY));
  }

  async #refresh({ fence }: LeaderTerm): Promise<void> {
    const now = Date.now();
    const date = dateOf(now);
    const counters = Object.entries(await this.#redis.hgetall(visitKeys.day(date)));
    const visits = counters
      .map(([id, count]): [number, number] => [Number(id), Number(count)])
      .toSorted(([one, most], [other, more]) => more - most || one - other)
      .slice(0, RANKED);
    const ranking: StoredRanking = { date, refreshedAt: new Date(now).toISOString(), visits };
    // A leader that was paused, and follows another, must not put back an old ranking.
    await fencedWrite.run(this.#redis, { key: visitKeys.ranking, value: JSON.stringify(ranking), fence });
  }
}
