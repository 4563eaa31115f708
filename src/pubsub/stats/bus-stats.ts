import type { BusCounts } from '../bus-events.js';
import type { GroupStats } from './group-stats.js';

/** What `EventBus.stats` tells: how often each thing has happened in this process, and how far each group is. */
export interface BusStats extends BusCounts {
  /** Of all durable events that this process knows of, whichever replicas handle them. */
  readonly groups: readonly GroupStats[];
}
