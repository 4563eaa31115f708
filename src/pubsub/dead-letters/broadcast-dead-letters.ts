import { createHash } from 'node:crypto';
import type { BusParts } from '../bus-parts.js';
import { messageOf } from '../describe-error.js';
import { TopicKeys } from '../durable/topic-keys.js';
import type { UnreadableEvent } from '../events/envelope.js';
import { logger } from '../pubsub-logger.js';
import { parse } from './dead-letter.js';
import { recordScript } from './dead-letter-scripts.js';
import { Quota } from './quota.js';

/** For how many milliseconds the same message is not recorded again. */
const LIFETIME = 10 * 60 * 1_000;

/** Who sends nothing but rubbish fills neither Redis nor the log. */
const RECORDS = { most: 100, period: 1_000 };
const WARNINGS = { most: 1, period: 60_000 };

/** Of how many topics and reasons it is known when there was a warning. */
const MOST_WARNED = 1_000;

/** The most that wait for Redis, which may be slow. */
const MOST_PENDING = 100;

/** Records messages that reached every replica, and that none can give to its handlers: once, whichever replica is first. */
export class BroadcastDeadLetters {
  readonly #parts: BusParts;
  readonly #records = new Quota(RECORDS);
  readonly #warnings = new Map<string, Quota>();
  readonly #lost = new Quota(WARNINGS);
  #pending = 0;

  constructor(parts: BusParts) {
    this.#parts = parts;
  }

  /**
   * Never throws, and holds up nobody. The same message is recorded once in 10 minutes. At most 100 a second are recorded by a process,
   * and none while Redis is away: the others are counted as dropped, and the log says so.
   *
   * @param topic 'unreadable' where it cannot be told
   */
  record(topic: string, raw: string, error: UnreadableEvent): void {
    this.#warn(topic, error);
    if (this.#pending >= MOST_PENDING || !this.#records.take()) return this.#drop('there are too many');
    this.#pending++;
    void this.#record(topic, raw, error).finally(() => this.#pending--);
  }

  async #record(topic: string, raw: string, error: UnreadableEvent): Promise<void> {
    try {
      const { connection, options } = this.#parts;
      const kept = cutTo(raw, options.maxSize);
      const isCut = kept.length < Buffer.byteLength(raw);
      const input = {
        dead: new TopicKeys(options.namespace, topic).dead,
        // What was cut off is not read, however much that is.
        digest: createHash('sha1').update(kept).digest('hex'),
        lifetime: LIFETIME,
        maxLetters: options.deadLetters,
        fields: fieldsOf(kept, error, isCut),
      };
      if (await recordScript.run(connection.client, input)) this.#tell(topic, isCut ? '' : raw, error);
    } catch (failure) {
      this.#drop(messageOf(failure));
    }
  }

  #tell(topic: string, raw: string, { reason, message }: UnreadableEvent): void {
    const { events, codec } = this.#parts;
    events.counts.dead++;
    if (!events.has('dead')) return;
    const id = parse(raw, codec)?.id;
    events.publish('dead', { topic, id, group: undefined, reason, error: message });
  }

  #drop(why: string): void {
    this.#parts.events.counts.dropped++;
    if (this.#lost.take())
      logger.warn(`Messages that cannot be read were not put to the dead letters: ${why}`);
  }

  #warn(topic: string, { reason, message }: UnreadableEvent): void {
    const subject = `${topic} ${reason}`;
    let quota = this.#warnings.get(subject);
    if (!quota) {
      // Topics of what others send may be any.
      if (this.#warnings.size >= MOST_WARNED) this.#warnings.clear();
      this.#warnings.set(subject, (quota = new Quota(WARNINGS)));
    }
    if (quota.take()) logger.warn(`A message of '${topic}' is not given to handlers (${reason}): ${message}`);
  }
}

function fieldsOf(
  raw: Buffer,
  { reason, message }: UnreadableEvent,
  isCut: boolean,
): (string | number | Buffer)[] {
  const fields = ['e', raw, 'g', '', 'reason', reason, 'error', message, 'attempts', 0, 'entry', '', 'p', ''];
  return isCut ? [...fields, 'cut', 1] : fields;
}

/** The beginning of a text, in whole characters of UTF-8. */
function cutTo(text: string, size: number): Buffer {
  // A character has a byte at least.
  const bytes = Buffer.from(text.slice(0, size + 1));
  if (bytes.length <= size) return bytes;
  let end = size;
  // Bytes after the first of a character.
  while (end > 0 && (bytes[end]! & 0xc0) === 0x80) end--;
  return bytes.subarray(0, end);
}
