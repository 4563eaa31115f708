import { Injectable } from '@nestjs/common';
import { InjectRedis, type RedisClient } from 'rednest';
import { DAY, dateOf } from '../../common/date.js';
import { transactionReplies } from '../../common/transaction-replies.js';
import { CitiesService } from '../cities.service.js';
import type { VisitCount, VisitedCity, VisitHistory } from './visits.dto.js';
import { visitKeys } from './visits.keys.js';

/** Days that are kept apart; after them a day's counters expire. */
const DAYS_KEPT = 40;

/** Counts visits: a sorted set as leaderboard, and for each day a hash that expires. */
@Injectable()
export class VisitsService {
  readonly #redis: RedisClient;
  readonly #cities: CitiesService;

  constructor(@InjectRedis() redis: RedisClient, cities: CitiesService) {
    this.#redis = redis;
    this.#cities = cities;
  }

  /** @throws NotFoundException */
  async visit(id: number): Promise<VisitCount> {
    await this.#cities.assertExists(id);
    const today = dateOf(Date.now());
    const key = visitKeys.day(today);
    const [visits] = transactionReplies(
      await this.#redis
        .multi()
        .zincrby(visitKeys.leaderboard, 1, id)
        .hincrby(key, String(id), 1)
        // A moment, not a length of time: each visit of the day sets the same one, and none puts it off.
        .pexpireat(key, Date.parse(today) + (DAYS_KEPT + 1) * DAY)
        .exec(),
    );
    return { id, visits: Number(visits) };
  }

  /** Most visited cities first. */
  async top(limit: number): Promise<VisitedCity[]> {
    const reply = await this.#redis.zrange(visitKeys.leaderboard, 0, String(limit - 1), 'REV', 'WITHSCORES');
    const visits = new Map<number, number>();
    for (let index = 0; index < reply.length; index += 2)
      visits.set(Number(reply[index]), Number(reply[index + 1]));
    const cities = await this.#cities.findMany([...visits.keys()]);
    return cities.map((city) => Object.assign(city, { visits: visits.get(city.id)! }));
  }

  /** @throws NotFoundException */
  async history(id: number): Promise<VisitHistory> {
    await this.#cities.assertExists(id);
    const now = Date.now();
    const dates = Array.from({ length: DAYS_KEPT }, (_, daysAgo) => dateOf(now - daysAgo * DAY));
    const [total, ...counts] = await Promise.all([
      this.#redis.zscore(visitKeys.leaderboard, String(id)),
      ...dates.map((date) => this.#redis.hget(visitKeys.day(date), String(id))),
    ]);
    const days = dates.map((date, index) => ({ date, visits: Number(counts[index] ?? 0) }));
    return { id, visits: Number(total ?? 0), days: days.filter(({ visits }) => visits > 0) };
  }
}
