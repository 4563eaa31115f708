/**
 * A walk through two million keys, and what it does to others who use the server meanwhile. Names of cases choose some:
 * `npm run bench diagnostics scans`.
 */
import 'reflect-metadata';
import { scans } from './diagnostics/scans.js';
import { runCases } from './support/cases.js';

await runCases(import.meta.url, { scans });
