import type { RedisConnection } from '../redis/index.js';
import type { BusEventPublisher } from './bus-events.js';
import type { EventCodec } from './events/event-codec.js';
import type { ResolvedRootOptions } from './options/resolved-options.js';

/** What all deliveries stand on. */
export interface BusParts {
  readonly connection: RedisConnection;
  readonly options: ResolvedRootOptions;
  readonly codec: EventCodec;
  readonly events: BusEventPublisher;
  /** By what name others know this process; no two have the same. */
  readonly process: string;
}
