import { ConflictException, Injectable, UnauthorizedException } from '@nestjs/common';
import { InjectRedis, type RedisClient } from 'rednest';
import type { Credentials, Member } from './members.dto.js';
import { memberKey } from './members.keys.js';
import { hashPassword, isPassword, type PasswordHash } from './password.js';

/** What is in Redis of a member. */
interface StoredMember extends PasswordHash {
  since: string;
}

/** Who may log in. */
@Injectable()
export class MembersService {
  readonly #redis: RedisClient;

  constructor(@InjectRedis() redis: RedisClient) {
    this.#redis = redis;
  }

  /** @throws ConflictException where somebody has that name */
  async register({ name, password }: Credentials): Promise<Member> {
    const stored: StoredMember = { since: new Date().toISOString(), ...(await hashPassword(password)) };
    const answer = await this.#redis.set(memberKey(name), JSON.stringify(stored), 'NX');
    if (answer === null) throw new ConflictException(`There is a member ${name} already`);
    return { name, since: stored.since };
  }

  /** @throws UnauthorizedException, the same whether it is the name or the password that is wrong */
  async verify({ name, password }: Credentials): Promise<void> {
    const text = await this.#redis.get(memberKey(name));
    const stored = text === null ? undefined : (JSON.parse(text) as StoredMember);
    if (!(await isPassword(password, stored))) throw new UnauthorizedException('Name or password is wrong');
  }
}
