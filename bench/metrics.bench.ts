/**
 * What `RedisMetricsModule` costs, scraped each second: an application with it beside one without; see support/rounds.ts. Names of cases
 * choose some: `npm run bench metrics local hits`.
 */
import { compareProcesses } from './metrics/processes.js';
import { runCases } from './support/cases.js';

await runCases(import.meta.url, {
  local: () => compareProcesses('Cache, local hit, get', 'local'),
  hits: () => compareProcesses('Cache, hit in Redis, 100 in flight', 'hits'),
  get: () => compareProcesses('Client, GET, 100 in flight', 'get'),
});
