import { defineScript } from '../../../redis/index.js';
import type { Fields } from '../fields.js';
import type { TopicKeys } from '../topic-keys.js';

const file = (name: string): URL => new URL(`../scripts/${name}.lua`, import.meta.url);

/** The streams of a topic, as a consumer of one of its groups sees them. */
export interface GroupPlace {
  readonly keys: TopicKeys;
  readonly group: string;
  readonly consumer: string;
}

export interface OwnInput extends GroupPlace {
  readonly lease: number;
  readonly partitions: number;
  /** Partitions that it gives back. */
  readonly given: readonly number[];
  /** Those that it is certain to own. */
  readonly held: readonly number[];
  /** Whether it takes no more, and does not count as a member. */
  readonly isLeaving: boolean;
}

export interface OwnReply {
  /** How many there are. */
  readonly partitions: number;
  /** How many this consumer should own. */
  readonly share: number;
  readonly owned: readonly number[];
}

export const ownScript = defineScript<OwnInput, OwnReply>({
  lua: file('own'),
  keys: ({ keys, group }) => [keys.owners(group), keys.members(group), keys.groups, keys.partitions],
  args: ({ group, consumer, lease, partitions, given, isLeaving, held }) => [
    consumer,
    lease,
    partitions,
    group,
    isLeaving ? 1 : 0,
    given.length,
    ...given,
    ...held,
  ],
  reply: (raw) => {
    const [partitions, share, ...owned] = (raw as unknown[]).map(Number) as [number, number, ...number[]];
    return { partitions, share, owned };
  },
});

export const leaveScript = defineScript<GroupPlace & { partitions: number }>({
  lua: file('leave'),
  keys: ({ keys, group, partitions }) => [
    keys.owners(group),
    keys.members(group),
    ...Array.from({ length: partitions }, (_, partition) => keys.stream(partition)),
  ],
  args: ({ group, consumer }) => [consumer, group],
});

interface PartitionPlace extends GroupPlace {
  readonly partition: number;
}

export interface RecoverInput extends PartitionPlace {
  /** Milliseconds for which an entry must have been pending. */
  readonly idle: number;
  readonly from: string;
  readonly count: number;
}

/** An entry that was delivered before, and not acknowledged. */
export interface RecoveredEntry {
  readonly id: string;
  readonly fields: Fields;
  /** The attempt that was begun last, and by the server's time when the next is due, 0 where it never ended; '' where none is known of. */
  readonly note: string;
  /** Whether it was delivered to this consumer. */
  readonly wasOwn: boolean;
}

export interface RecoverReply {
  /** The server's time, in milliseconds since 1970. */
  readonly now: number;
  readonly trimmed: number;
  /** Where to go on; undefined where that is all. */
  readonly next: string | undefined;
  readonly entries: readonly RecoveredEntry[];
}

export const recoverScript = defineScript<RecoverInput, RecoverReply>({
  lua: file('recover'),
  keys: ({ keys, group, partition }) => [
    keys.stream(partition),
    keys.retries(group, partition),
    keys.members(group),
  ],
  args: ({ group, consumer, idle, from, count }) => [group, consumer, idle, from, count],
  reply: (raw) => {
    const [now, trimmed, last, entries] = raw as [
      string,
      number,
      string,
      [string, string[], string, number][],
    ];
    return {
      now: Number(now),
      trimmed,
      next: last === '' ? undefined : `(${last}`,
      entries: entries.map(([id, fields, note, own]) => ({ id, fields, note, wasOwn: own === 1 })),
    };
  },
});

export interface FailInput extends PartitionPlace {
  readonly id: string;
  readonly attempt: number;
  /** Milliseconds until the next; undefined where this one runs. */
  readonly delay: number | undefined;
}

export const failScript = defineScript<FailInput>({
  lua: file('fail'),
  keys: ({ keys, group, partition }) => [keys.stream(partition), keys.retries(group, partition)],
  args: ({ group, id, attempt, delay }) => [group, id, attempt, delay === undefined ? '' : Math.ceil(delay)],
});

export interface AckInput extends PartitionPlace {
  readonly ids: readonly string[];
  /** Of their events, where they are kept. */
  readonly events: readonly string[];
  readonly keep: number;
}

export const ackScript = defineScript<AckInput>({
  lua: file('ack'),
  keys: ({ keys, group, partition }) => [
    keys.stream(partition),
    keys.retries(group, partition),
    keys.done(group),
  ],
  args: ({ group, ids, events, keep }) => [group, keep, ids.length, ...ids, ...events],
});

export interface DeadInput extends PartitionPlace {
  readonly id: string;
  readonly reason: string;
  readonly error: string;
  readonly attempts: number;
  readonly maxSize: number;
  readonly maxLetters: number;
}

/** Whether it was still to be handled. */
export const deadScript = defineScript<DeadInput, boolean>({
  lua: file('dead'),
  keys: ({ keys, group, partition }) => [keys.stream(partition), keys.retries(group, partition), keys.dead],
  args: ({ group, id, partition, ...letter }) => [
    group,
    id,
    partition,
    letter.reason,
    letter.error,
    letter.attempts,
    letter.maxSize,
    letter.maxLetters,
  ],
  reply: (raw) => raw === 1,
});

export interface CommitInput extends PartitionPlace {
  readonly id: string;
  readonly event: string;
  readonly keep: number;
  readonly commands: readonly Command[];
}

/** A command and its arguments. */
export interface Command {
  readonly parts: readonly (string | Buffer)[];
  /** Those of its arguments that are keys. */
  readonly keys: readonly (string | Buffer)[];
}

export const commitScript = defineScript<CommitInput, unknown[] | undefined>({
  lua: file('commit'),
  keys: ({ keys, group, partition, commands }) => [
    keys.stream(partition),
    keys.retries(group, partition),
    keys.done(group),
    ...commands.flatMap((command) => command.keys),
  ],
  args: ({ group, id, event, keep, commands }) => [
    group,
    id,
    event,
    keep,
    ...commands.flatMap(({ parts }) => [parts.length, ...parts]),
  ],
  reply: (raw) => (raw as unknown[] | null) ?? undefined,
});

/** Notes how many partitions a topic has, if it is more than is known. */
export const registerScript = defineScript<{ key: string; partitions: number }>({
  lua: file('register'),
  keys: ({ key }) => [key],
  args: ({ partitions }) => [partitions],
});
