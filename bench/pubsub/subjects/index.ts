import { bare, barePipelined } from './bare.js';
import { bareDurable } from './bare-durable.js';
import { boringnode } from './boringnode.js';
import { graphql } from './graphql.js';
import { nestMicroservices } from './nest-microservices.js';
import { rednest, rednestClass, rednestDurable, rednestDurableClass } from './rednest.js';
import type { Subject } from './subject.js';

/** By the names that processes are told. */
export const subjects = {
  rednest,
  'rednest-class': rednestClass,
  bare,
  'bare-pipelined': barePipelined,
  nest: nestMicroservices,
  boringnode,
  graphql,
  'rednest-durable': rednestDurable,
  'rednest-durable-class': rednestDurableClass,
  'bare-durable': bareDurable,
} satisfies Record<string, Subject>;

export type SubjectName = keyof typeof subjects;

/** The first one is what the others are compared with. */
export const broadcasting: readonly SubjectName[] = [
  'rednest',
  'rednest-class',
  'bare-pipelined',
  'bare',
  'nest',
  'boringnode',
  'graphql',
];
export const lasting: readonly SubjectName[] = ['rednest-durable', 'rednest-durable-class', 'bare-durable'];
