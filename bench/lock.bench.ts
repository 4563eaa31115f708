/**
 * The locks beside their peers and beside bare commands, on one server in one run; see support/rounds.ts. Names of cases choose some:
 * `npm run bench lock pairs contended`.
 */
import 'reflect-metadata';
import { contended } from './lock/contended/contended.js';
import { idle } from './lock/idle/idle.js';
import { pairs } from './lock/pairs.js';
import { runCases } from './support/cases.js';

await runCases(import.meta.url, { pairs, contended, idle });
