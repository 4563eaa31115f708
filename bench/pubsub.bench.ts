/**
 * The event bus beside its peers and beside bare commands, on one server in one run; see support/rounds.ts. Names of cases choose some:
 * `npm run bench pubsub broadcast`.
 */
import { broadcast } from './pubsub/broadcast.js';
import { durable } from './pubsub/durable.js';
import { latency } from './pubsub/latency.js';
import { runCases } from './support/cases.js';

await runCases(import.meta.url, { broadcast, durable, latency });
