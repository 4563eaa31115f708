/**
 * The cache beside its peers and beside bare ioredis, on one server in one run; see support/rounds.ts. Names of cases
 * choose some: `npm run bench cache local http`.
 */
import 'reflect-metadata';
import { http } from './cache/http/http.js';
import { localHit } from './cache/local-hit.js';
import { missAndStore } from './cache/miss.js';
import { getMany, redisHit, sequentialHit } from './cache/redis-hit.js';
import { tagInvalidation } from './cache/tags.js';
import { runCases, type Cases } from './support/cases.js';

const cases: Cases = {
  local: localHit,
  hits: redisHit,
  sequential: sequentialHit,
  many: getMany,
  tags: tagInvalidation,
  miss: missAndStore,
  http,
};

await runCases(import.meta.url, cases);
