import { ServiceUnavailableException } from '@nestjs/common';
import type { RedisError } from '../../redis/index.js';

/**
 * Redis could not be asked for a session, or told of one. Nest answers a request that ends with it by 503 Service Unavailable, with a text that
 * tells nothing of Redis; `cause` has that.
 */
export class SessionUnavailableError extends ServiceUnavailableException {
  readonly code = 'SESSION_UNAVAILABLE';

  constructor(override readonly cause: RedisError) {
    super('Sessions are not available, try again later', { cause, description: 'Service Unavailable' });
  }
}
