import { DEFAULT_CONNECTION } from '../../redis/index.js';

/** By what a connection is found in an answer. */
export function connectionKey(name: string): string {
  return name === DEFAULT_CONNECTION ? 'redis' : `redis:${name}`;
}
