import { Inject, type InjectionToken } from '@nestjs/common';
import { DEFAULT_CONNECTION } from '../redis/index.js';
import { RedisInspector } from './redis-inspector.js';

/** Injection token of a connection's {@link RedisInspector}: the class itself for the default connection. */
export function getRedisInspectorToken(name: string = DEFAULT_CONNECTION): InjectionToken<RedisInspector> {
  return name === DEFAULT_CONNECTION ? RedisInspector : `rednest:inspector:${name}`;
}

/**
 * Injects the inspector of a connection.
 *
 * @example constructor(@InjectRedisInspector('sessions') private readonly inspector: RedisInspector) {}
 */
export function InjectRedisInspector(name?: string): PropertyDecorator & ParameterDecorator {
  return Inject(getRedisInspectorToken(name));
}
