// What the cache shares with other modules of rednest, beyond what applications see.
export { HEAD_LENGTH, readBorn } from './entry/record.js';
