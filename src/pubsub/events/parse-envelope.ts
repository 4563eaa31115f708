import { UnreadableEvent, type Envelope } from './envelope.js';
import { isTopic } from './topic.js';

/** The last time that a Date can have. */
const LATEST = 8.64e15;

/** An id may come from anywhere, and is kept in Redis. */
const LONGEST_ID = 128;

/**
 * What was sent, checked as far as it is the same for all events. What else it holds is left alone: later releases may send more.
 *
 * @param known a topic that need not be looked at again
 * @throws UnreadableEvent 'undecodable'
 */
export function parseEnvelope(raw: string, known?: string): Envelope {
  let parsed: unknown;
  try {
    parsed = JSON.parse(raw);
  } catch {
    throw new UnreadableEvent('undecodable', 'It is not JSON');
  }
  if (typeof parsed !== 'object' || parsed === null) throw malformed('an object');
  const { id, topic, v, at, from, key, trace, data } = parsed as Readonly<Record<string, unknown>>;
  if (typeof id !== 'string' || id === '' || id.length > LONGEST_ID) throw malformed('an id');
  if (topic !== known && !isTopic(topic)) throw malformed('a topic');
  if (!Number.isSafeInteger(v) || (v as number) < 1) throw malformed('v, a version');
  if (!Number.isSafeInteger(at) || Math.abs(at as number) > LATEST) throw malformed('at, a time');
  if (typeof from !== 'string') throw malformed('from, a process');
  if (key !== undefined && typeof key !== 'string') throw malformed('a key that is text');
  if (trace !== undefined && typeof trace !== 'string') throw malformed('a trace that is text');
  if (data === undefined) throw malformed('data');
  return parsed as Envelope;
}

function malformed(missing: string): UnreadableEvent {
  return new UnreadableEvent('undecodable', `It is not an envelope: it has not ${missing}`);
}
