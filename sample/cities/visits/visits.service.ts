import { Injectable } from '@nestjs/common';
import { EventBus, InjectRedis, type RedisClient } from 'rednest';
import { DAY, dateOf } from '../../common/date.js';
import { CitiesService } from '../cities.service.js';
import { CityViewed } from './city-viewed.event.js';
import type { AcceptedVisit, VisitedCity, VisitHistory } from './visits.dto.js';
import { DAYS_KEPT, visitKeys } from './visits.keys.js';

/** Takes visits, which are counted soon after, and tells what has been counted. */
@Injectable()
export class VisitsService {
  readonly #redis: RedisClient;
  readonly #bus: EventBus;
  readonly #cities: CitiesService;

  constructor(@InjectRedis() redis: RedisClient, bus: EventBus, cities: CitiesService) {
    this.#redis = redis;
    this.#bus = bus;
    this.#cities = cities;
  }

  /**
   * When it resolves, Redis has the visit, and no replica that stops can lose it.
   *
   * @throws NotFoundException
   */
  async visit(id: number): Promise<AcceptedVisit> {
    await this.#cities.assertExists(id);
    const view = await this.#bus.publish(CityViewed, { city: id });
    return { id, view: view.id };
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
