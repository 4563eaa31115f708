import { hostname } from 'node:os';
import type { ValidatorOptions } from 'class-validator';
import {
  flattenOptions,
  NestedProblems,
  Problems,
  Settings,
  showValue,
  toBytes,
} from '../../redis/shared.js';
import { isTopic, TOPIC_EXPECTED } from '../events/topic.js';
import { ROOT_TREE } from './option-trees.js';
import { PubSubConfigurationError } from './pubsub-configuration-error.js';
import type { PubSubRootOptions } from './pubsub-options.js';
import type { ResolvedRootOptions } from './resolved-options.js';
import { resolveTopic } from './resolve-topic.js';
import { BUILT_IN, readBuffer, readConcurrency, readGroup } from './subscription-settings.js';

const CONSUMER = /^[\w-]{1,40}$/;
const CONSUMER_EXPECTED = "a name of up to 40 letters, digits, '_' and '-'";

/** An event without data, and with the longest topic and id that are usual, has less. */
const SMALLEST_SIZE = 512;

/** The most that Redis takes. */
const LARGEST_SIZE = 512 * 1_024 * 1_024;

/** A lease of less would end before Redis has answered. */
const SHORTEST_LEASE = 200;

/** @throws PubSubConfigurationError with every problem that was found */
export function resolveRootOptions(options: PubSubRootOptions): ResolvedRootOptions {
  const problems = new Problems();
  const settings = new Settings(flattenOptions(options, ROOT_TREE, problems), problems);
  const resolved: ResolvedRootOptions = {
    namespace: settings.namespace('namespace') ?? 'events',
    publishTimeout: settings.duration('publishTimeout') ?? 2_000,
    maxSize:
      settings.converted('maxSize', asMaxSize, "a size from 512 bytes to 512mb, such as '64kb'") ?? 1_048_576,
    topics: readTopics(settings, problems),
    lease: readLease(settings, problems),
    shutdownTimeout: settings.duration('shutdownTimeout', { min: 0 }) ?? 10_000,
    deadLetters: settings.integer('deadLetters', { min: 1, expected: 'a whole number from 1 on' }) ?? 10_000,
    consumer: settings.converted('consumer', asConsumer, CONSUMER_EXPECTED) ?? thisProcess(),
    traceparent: settings.converted('traceparent', asSource, 'a function'),
    validator: settings.converted('validator', asValidator, 'an object of options for class-validator') ?? {},
    defaults: {
      ...readGroup(settings, problems, BUILT_IN),
      ...readBuffer(settings, BUILT_IN),
      concurrency: readConcurrency(settings, BUILT_IN),
      timeout: settings.duration('timeout') ?? BUILT_IN.timeout,
    },
  };
  problems.throwAs((found) => new PubSubConfigurationError('PubSubModule', found));
  return resolved;
}

function readTopics(settings: Settings, problems: Problems): ResolvedRootOptions['topics'] {
  const topics = settings.converted('topics', asObject, 'an object of topics and their options') ?? {};
  for (const [topic, options] of Object.entries(topics)) {
    const label = `topics[${showValue(topic)}]`;
    if (!isTopic(topic)) problems.add(label, `is not ${TOPIC_EXPECTED}`);
    if (asObject(options)) resolveTopic(options, new NestedProblems(problems, label));
    else problems.add(label, `${showValue(options)} is not an object of options`);
  }
  return { ...topics };
}

function readLease(settings: Settings, problems: Problems): number {
  const lease = Math.ceil(settings.duration('lease') ?? 10_000);
  if (lease < SHORTEST_LEASE)
    problems.add(settings.label('lease'), `is ${lease} ms; the shortest is ${SHORTEST_LEASE} ms`);
  return lease;
}

function asMaxSize(value: unknown): number | undefined {
  const size = toBytes(value);
  return size !== undefined && size >= SMALLEST_SIZE && size <= LARGEST_SIZE ? size : undefined;
}

function asConsumer(value: unknown): string | undefined {
  return typeof value === 'string' && CONSUMER.test(value) ? value : undefined;
}

function asSource(value: unknown): (() => string | undefined) | undefined {
  return typeof value === 'function' ? (value as () => string | undefined) : undefined;
}

function asObject(value: unknown): object | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
}

function asValidator(value: unknown): ValidatorOptions | undefined {
  return asObject(value);
}

/** The end of a pod's name is what tells it from its replicas. */
function thisProcess(): string {
  const host = hostname()
    .replaceAll(/[^\w-]/g, '-')
    .slice(-24);
  return `${host}-${process.pid}`;
}
