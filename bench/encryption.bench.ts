/**
 * Encryption beside the same construction by hand, and beside what others do; see support/rounds.ts. Names of cases choose some:
 * `npm run bench encryption messages store`.
 */
import 'reflect-metadata';
import { many } from './encryption/many.js';
import { messages } from './encryption/messages.js';
import { rotation } from './encryption/rotation.js';
import { store } from './encryption/store.js';
import { runCases } from './support/cases.js';

await runCases(import.meta.url, { messages, store, many, rotation });
