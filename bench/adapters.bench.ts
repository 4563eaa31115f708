/**
 * The adapters beside what they stand on, on one server in one run; see support/rounds.ts. Names of cases choose some:
 * `npm run bench adapters throttler`.
 */
import 'reflect-metadata';
import { throttler } from './adapters/throttler.js';
import { runCases } from './support/cases.js';

await runCases(import.meta.url, { throttler });
