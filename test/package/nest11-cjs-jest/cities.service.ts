import { Injectable } from '@nestjs/common';
import { InjectRedis, type RedisClient } from 'rednest';

@Injectable()
export class CitiesService {
  constructor(@InjectRedis() private readonly redis: RedisClient) {}

  async rename(id: number, name: string): Promise<string | null> {
    await this.redis.set(`city:${id}`, name);
    return this.redis.get(`city:${id}`);
  }
}
