import { Inject } from '@nestjs/common';

/** Name of the connection that is meant where none is given. */
export const DEFAULT_CONNECTION = 'default';

/** Injection token of a connection's shared client, for `overrideProvider` and custom providers. */
export function getRedisToken(name: string = DEFAULT_CONNECTION): string {
  return `rednest:client:${name}`;
}

/** Injection token of a {@link RedisConnection}. */
export function getRedisConnectionToken(name: string = DEFAULT_CONNECTION): string {
  return `rednest:connection:${name}`;
}

/**
 * Injects a connection's shared client.
 *
 * @example constructor(@InjectRedis() private readonly redis: RedisClient) {}
 */
export function InjectRedis(name?: string): PropertyDecorator & ParameterDecorator {
  return Inject(getRedisToken(name));
}

/**
 * Injects a connection: its subscriber, dedicated connections and transactions beside the client.
 *
 * @example constructor(@InjectRedisConnection('sessions') private readonly sessions: RedisConnection) {}
 */
export function InjectRedisConnection(name?: string): PropertyDecorator & ParameterDecorator {
  return Inject(getRedisConnectionToken(name));
}
