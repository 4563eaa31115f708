import { defineScript, type ScriptArgument } from '../../redis/index.js';
import type { TopicStreams } from '../durable/topic-streams.js';
import type { StreamEntry } from './dead-letter.js';
import type { DeadLetterFilter } from './dead-letter-options.js';

const file = (name: string): URL => new URL(`./scripts/${name}.lua`, import.meta.url);

export interface ScanInput {
  /** Key of the dead letters. */
  readonly dead: string;
  readonly filter: DeadLetterFilter;
  /** Undefined for the first. */
  readonly after: string | undefined;
  /** Undefined for the last. */
  readonly end: string | undefined;
  /** How many are looked at. */
  readonly count: number;
}

interface ScanReply<Found> {
  /** After which to go on; undefined where that was all. */
  readonly next: string | undefined;
  readonly found: readonly Found[];
}

/** Finds the letters that a filter lets through. Others do not travel. */
export const listScript = scanScript<StreamEntry>('letters');

/** Finds the ids of those that a filter lets through. */
export const idsScript = scanScript<string>('ids');

function scanScript<Found>(wanted: 'letters' | 'ids') {
  return defineScript<ScanInput, ScanReply<Found>>({
    lua: file('scan'),
    keys: ({ dead }) => [dead],
    args: ({ filter: { group, reason }, after = '', end = '+', count }) => {
      const which = group === undefined ? 'any' : 'named';
      return [after, end, count, which, group ?? '', reason ?? '', wanted];
    },
    reply: (raw) => {
      const [last, found] = raw as [string, Found[]];
      return { next: last === '' ? undefined : last, found };
    },
  });
}

export interface ReplayInput extends TopicStreams {
  readonly id: string;
  readonly isDurable: boolean;
  /** For how many milliseconds nobody else publishes it again. */
  readonly mark: number;
}

/** What became of a letter, or what is to be done with it. */
export type ReplayReply =
  | { readonly outcome: 'replayed' | 'gone' | 'cut' | 'orphaned' }
  /** It is to be published by the caller, and then dropped. */
  | { readonly outcome: 'publish'; readonly raw: string };

/** Puts a letter back into its stream, in one step. */
export const replayScript = defineScript<ReplayInput, ReplayReply>({
  lua: file('replay'),
  keys: ({ keys, streams, id }) => [keys.dead, recorded(keys.dead), replayMark(keys.dead, id), ...streams],
  args: ({ id, isDurable, mark }) => [id, isDurable ? 'durable' : '', mark],
  reply: (raw) => {
    const [outcome, message = ''] = raw as [ReplayReply['outcome'], string?];
    return outcome === 'publish' ? { outcome, raw: message } : { outcome };
  },
});

/** Key of the sorted set of the messages that were recorded lately: their digests, and until when each counts. */
function recorded(dead: string): string {
  return `${dead}:recorded`;
}

/** Key of the mark of who publishes a letter again. */
export function replayMark(dead: string, id: string): string {
  return `${dead}:replayed:${id}`;
}

export interface RecordInput {
  /** Key of the dead letters. */
  readonly dead: string;
  /** By which replicas see that it is the same message: SHA-1 of what is kept of it, in hexadecimal digits. */
  readonly digest: string;
  /** For how many milliseconds the same message is not recorded again. */
  readonly lifetime: number;
  readonly maxLetters: number;
  /** Names and values in turn. */
  readonly fields: readonly ScriptArgument[];
}

/** Records a message that no replica can read. Replies whether it was the first to. */
export const recordScript = defineScript<RecordInput, boolean>({
  lua: file('record'),
  keys: ({ dead }) => [dead, recorded(dead)],
  args: ({ digest, lifetime, maxLetters, fields }) => [digest, lifetime, maxLetters, ...fields],
  reply: (raw) => raw === 1,
});
