import { Injectable } from '@nestjs/common';
import { type EventContext, InjectRedis, type RedisClient, Subscribe } from 'rednest';
import { DAY, dateOf } from '../../common/date.js';
import { CityViewed } from './city-viewed.event.js';
import { DAYS_KEPT, visitKeys } from './visits.keys.js';

/** Counts views: a sorted set as leaderboard, and for each day a hash that expires. Each view is counted by one of the replicas. */
@Injectable()
export class VisitCounter {
  readonly #redis: RedisClient;

  constructor(@InjectRedis() redis: RedisClient) {
    this.#redis = redis;
  }

  /** A replica may stop at any moment, and another be given the same view: it is counted once, since counting it acknowledges it. */
  @Subscribe(CityViewed, { group: 'ranking' })
  async count({ city }: CityViewed, context: EventContext): Promise<void> {
    const date = dateOf(context.publishedAt.getTime());
    const day = visitKeys.day(date);
    await context.commit(
      this.#redis
        .multi()
        .zincrby(visitKeys.leaderboard, 1, city)
        .hincrby(day, String(city), 1)
        // A moment, not a length of time: each visit of the day sets the same one, and none puts it off.
        .pexpireat(day, Date.parse(date) + (DAYS_KEPT + 1) * DAY),
    );
  }
}
