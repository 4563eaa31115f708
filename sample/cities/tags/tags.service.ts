import { BadRequestException, Injectable } from '@nestjs/common';
import { InjectRedisConnection, type RedisConnection } from 'rednest';
import { transactionReplies } from '../../common/transaction-replies.js';
import { CitiesService } from '../cities.service.js';
import type { City } from '../city.dto.js';
import type { CityTags, TaggedQuery } from './tags.dto.js';
import { tagKeys } from './tags.keys.js';

/** Tags of cities: a set for each city and, the other way round, one for each tag; and queries by set algebra. */
@Injectable()
export class TagsService {
  readonly #connection: RedisConnection;
  readonly #cities: CitiesService;

  constructor(@InjectRedisConnection() connection: RedisConnection, cities: CitiesService) {
    this.#connection = connection;
    this.#cities = cities;
  }

  /** @throws NotFoundException */
  async find(id: number): Promise<CityTags> {
    await this.#cities.assertExists(id);
    const tags = await this.#connection.client.smembers(tagKeys.city(id));
    return { id, tags: tags.toSorted() };
  }

  /**
   * Sets the tags of a city.
   *
   * @throws NotFoundException, and RedisConflictError when others keep changing the same city
   */
  async replace(id: number, tags: readonly string[]): Promise<CityTags> {
    await this.#cities.assertExists(id);
    const key = tagKeys.city(id);
    const wanted = new Set(tags);
    // Watched: if two at once took out what they read as the old tags, a city could stay behind under a tag that it no longer has.
    await this.#connection.optimistic([key], async (client, multi) => {
      const present = new Set(await client.smembers(key));
      const added = [...wanted].filter((tag) => !present.has(tag));
      const removed = [...present].filter((tag) => !wanted.has(tag));
      if (added.length > 0) multi.sadd(key, ...added);
      if (removed.length > 0) multi.srem(key, ...removed);
      for (const tag of added) multi.sadd(tagKeys.tag(tag), id);
      for (const tag of removed) multi.srem(tagKeys.tag(tag), id);
    });
    return { id, tags: [...wanted].toSorted() };
  }

  /**
   * Cities by their tags, ordered by id. `any` is a union, `all` an intersection, `none` a difference; Redis works them out one on the
   * other inside a transaction, and sends no more ids than are asked for.
   *
   * @throws BadRequestException where neither `all` nor `any` says where to begin
   */
  async tagged({ all = [], any = [], none = [], limit }: TaggedQuery): Promise<City[]> {
    if (all.length === 0 && any.length === 0) throw new BadRequestException(['all or any has to be given']);
    const { result } = tagKeys;
    const multi = this.#connection.client.multi();
    if (any.length > 0) multi.sunionstore(result, ...any.map(tagKeys.tag));
    if (all.length > 0)
      multi.sinterstore(result, ...(any.length > 0 ? [result] : []), ...all.map(tagKeys.tag));
    if (none.length > 0) multi.sdiffstore(result, result, ...none.map(tagKeys.tag));
    // SORT sends a part of a set, where SMEMBERS would send all of it. ACLs count it as @dangerous, for what it can do with BY and GET.
    multi.sort(result, 'LIMIT', 0, limit).unlink(result);
    const ids = transactionReplies(await multi.exec()).at(-2) as string[];
    return this.#cities.findMany(ids.map(Number));
  }
}
