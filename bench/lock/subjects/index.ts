import { openBare } from './bare.js';
import { openRednest } from './rednest.js';
import { openRedisSemaphore } from './redis-semaphore.js';
import { openRedlock, openSesamecare } from './redlock.js';
import { openRedlockUniversal } from './redlock-universal.js';
import type { Opener } from './subject.js';

const often = { retryDelay: 10, retryJitter: 5 };

/** By the names that processes are told. */
export const subjects = {
  rednest: openRednest,
  bare: openBare,
  redlock: (place) => openRedlock(place),
  'redlock-often': (place) => openRedlock(place, often),
  sesamecare: (place) => openSesamecare(place),
  'sesamecare-often': (place) => openSesamecare(place, often),
  'redis-semaphore': (place) => openRedisSemaphore(place),
  'redis-semaphore-often': (place) => openRedisSemaphore(place, 3),
  'redlock-universal': (place) => openRedlockUniversal(place),
  'redlock-universal-often': (place) => openRedlockUniversal(place, 10),
} satisfies Record<string, Opener>;

export type SubjectName = keyof typeof subjects;
