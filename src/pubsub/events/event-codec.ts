import { Buffer } from 'node:buffer';
import { messageOf } from '../describe-error.js';
import type { ResolvedRootOptions } from '../options/resolved-options.js';
import { EventInvalidError, EventTooLargeError, type EventProblem } from '../pubsub-errors.js';
import { UnreadableEvent, type Envelope } from './envelope.js';
import type { EventClass } from './event-options.js';
import type { EventType } from './event-type.js';
import { toInstance, toPlain } from '../../classes/instances.js';
import { parseEnvelope } from './parse-envelope.js';
import { Validation } from './validation.js';

/** What an envelope says beside the event. */
export interface EnvelopeDetails {
  /** Letters, digits and `_ - . : /`. */
  readonly id: string;
  readonly key: string | undefined;
  readonly trace: string | undefined;
}

/** No character takes more in UTF-8 than three bytes for each of its UTF-16 units. */
const MOST_BYTES = 3;

/** How much of what is wrong is told of an event that arrived. */
const MOST_PROBLEMS = 10;

const ON_ARRIVAL =
  'and is not so any more after it was sent as JSON; a date or a nested class needs class-transformer, such as @Type(() => Date)';

/** Makes events what is sent, and back. */
export class EventCodec {
  readonly #maxSize: number;
  readonly #process: string;
  readonly #processJson: string;
  readonly #validation: Validation;
  readonly #readable = new WeakSet<EventClass>();
  #lastTopic: string | undefined;

  /** @param process by what name others know this process */
  constructor({ maxSize, validator }: Pick<ResolvedRootOptions, 'maxSize' | 'validator'>, process: string) {
    this.#maxSize = maxSize;
    this.#process = process;
    this.#processJson = JSON.stringify(process);
    this.#validation = new Validation(validator);
  }

  /**
   * Checks an event that is to be published.
   *
   * @returns it, or where the topic has a class and this is a plain object, an instance with its properties
   * @throws EventInvalidError
   */
  prepare({ topic, classRef }: EventType, event: unknown): unknown {
    if (!classRef) {
      if (event === undefined) throw invalid(topic, 'undefined is no event; null can be one');
      return event;
    }
    if (event === undefined) throw invalid(topic, `its properties are missing: ${notThatOf(classRef)}`);
    if (!isObject(event)) throw invalid(topic, notThatOf(classRef));
    const instance = instanceOf(classRef, event, (message) => invalid(topic, message));
    const problems = this.#validation.problemsOf(instance);
    if (problems.length > 0) throw new EventInvalidError(topic, problems);
    return instance;
  }

  /**
   * An event as it is sent, from now.
   *
   * @param event as {@link EventCodec.prepare} gave it
   * @throws EventInvalidError where a decorator of class-transformer throws; where the first event of a class would not be valid on arrival
   */
  envelope(type: EventType, event: unknown, { id, key, trace }: EnvelopeDetails): Envelope {
    const data = type.delivery === 'local' ? event : dataOf(type.topic, event);
    if (type.classRef && type.delivery !== 'local') this.#checkReadable(type.topic, type.classRef, data);
    const envelope: { -readonly [Name in keyof Envelope]: Envelope[Name] } = {
      id,
      topic: type.topic,
      v: type.version,
      at: Date.now(),
      from: this.#process,
      data,
    };
    if (key !== undefined) envelope.key = key;
    if (trace !== undefined) envelope.trace = trace;
    return envelope;
  }

  /** @throws EventTooLargeError; EventInvalidError for what JSON cannot hold */
  encode({ id, topic, v, at, from, key, trace, data }: Envelope): string {
    const json = toJson(topic, data);
    const source = from === this.#process ? this.#processJson : JSON.stringify(from);
    // Neither ids nor topics may have what JSON escapes.
    let raw = `{"id":"${id}","topic":"${topic}","v":${v},"at":${at},"from":${source}`;
    if (key !== undefined) raw += `,"key":${JSON.stringify(key)}`;
    if (trace !== undefined) raw += `,"trace":${JSON.stringify(trace)}`;
    raw += `,"data":${json}}`;
    const size = this.#sizeIfTooLarge(raw);
    if (size !== undefined) throw new EventTooLargeError(topic, size, this.#maxSize);
    return raw;
  }

  /** @throws UnreadableEvent 'oversized' or 'undecodable' */
  parse(raw: string): Envelope {
    const size = this.#sizeIfTooLarge(raw);
    if (size !== undefined)
      throw new UnreadableEvent('oversized', `It has ${size} bytes; maxSize is ${this.#maxSize}`);
    const envelope = parseEnvelope(raw, this.#lastTopic);
    this.#lastTopic = envelope.topic;
    return envelope;
  }

  /**
   * The event that handlers are given: an instance of the class, upgraded where it has another version; of a topic without a class, the
   * data as it came.
   *
   * @throws UnreadableEvent 'version' or 'invalid'
   */
  read(type: EventType, envelope: Envelope): unknown {
    const { classRef } = type;
    if (!classRef) return envelope.data;
    if (!isObject(envelope.data)) throw unreadable(notThatOf(classRef));
    const data = envelope.v === type.version ? envelope.data : upgrade(type, envelope, envelope.data);
    if (!isObject(data)) throw unreadable(notThatOf(classRef));
    const event = instanceOf(classRef, data, unreadable);
    const problems = this.#validation.problemsOf(event);
    if (problems.length > 0) throw unreadable(listed(problems));
    return event;
  }

  /** Of each class once: what is not JSON, and has no `@Type`, is something else on arrival. */
  #checkReadable(topic: string, classRef: EventClass, data: unknown): void {
    if (this.#readable.has(classRef)) return;
    const sent = JSON.parse(toJson(topic, data)) as object;
    const problems = this.#validation.problemsOf(
      instanceOf(classRef, sent, (message) => invalid(topic, message)),
    );
    if (problems.length > 0)
      throw new EventInvalidError(
        topic,
        problems.map(({ property, message }) => ({ property, message: `${message}, ${ON_ARRIVAL}` })),
      );
    this.#readable.add(classRef);
  }

  /** Counted only where the number of characters does not tell. */
  #sizeIfTooLarge(raw: string): number | undefined {
    if (raw.length * MOST_BYTES <= this.#maxSize) return undefined;
    const size = Buffer.byteLength(raw);
    return size > this.#maxSize ? size : undefined;
  }
}

function upgrade({ topic, version, upgrade: convert }: EventType, { v }: Envelope, given: object): unknown {
  const versions = `'${topic}' has version ${v}, and this process knows ${version}`;
  if (!convert) throw new UnreadableEvent('version', versions);
  let data: unknown;
  try {
    data = convert(given as Readonly<Record<string, unknown>>, v);
  } catch (error) {
    throw new UnreadableEvent('version', `${versions}: upgrade failed: ${messageOf(error)}`);
  }
  if (data === undefined) throw new UnreadableEvent('version', `${versions}: it cannot be upgraded`);
  return data;
}

function dataOf(topic: string, event: unknown): unknown {
  if (typeof event !== 'object' || event === null) return event;
  try {
    return toPlain(event);
  } catch (error) {
    throw invalid(topic, `class-transformer cannot make it plain: ${messageOf(error)}`);
  }
}

function toJson(topic: string, data: unknown): string {
  let json: string | undefined;
  try {
    // Its type forgets that there is none for undefined, functions and symbols.
    json = JSON.stringify(data) as string | undefined;
  } catch (error) {
    throw invalid(topic, `JSON cannot hold it: ${firstLine(messageOf(error))}`);
  }
  if (json === undefined)
    throw invalid(topic, `JSON cannot hold ${typeof data === 'object' ? 'it' : `a ${typeof data}`}`);
  return json;
}

/** @param refuse makes an error of what is wrong */
function instanceOf(classRef: EventClass, data: object, refuse: (message: string) => Error): object {
  if (data instanceof classRef) return data;
  try {
    return toInstance(classRef, data);
  } catch (error) {
    throw refuse(`${classRef.name} cannot be made without arguments, and filled in: ${messageOf(error)}`);
  }
}

function notThatOf({ name }: EventClass): string {
  return `it is not an object; expected that of ${name}`;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function invalid(topic: string, message: string): EventInvalidError {
  return new EventInvalidError(topic, [{ property: '', message }]);
}

function unreadable(message: string): UnreadableEvent {
  return new UnreadableEvent('invalid', message);
}

function listed(problems: readonly EventProblem[]): string {
  const shown = problems.slice(0, MOST_PROBLEMS).map(({ message }) => message);
  const more = problems.length - shown.length;
  return `It is not valid: ${shown.join('; ')}${more > 0 ? `; and ${more} more` : ''}`;
}

/** Of something cyclic, V8 draws a picture over several lines. */
function firstLine(message: string): string {
  return message.split('\n', 1)[0]!;
}
