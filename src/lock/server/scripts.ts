import { readFileSync } from 'node:fs';
import { defineScript } from '../../redis/index.js';
import type { Resource, ResourceKeys } from './resource.js';

/** How those who wait are reached. */
export interface Wakes {
  /** The channel of a process, without its name. */
  readonly channel: string;
  /** Whether `PUBLISH` counts all who listen: on a Cluster, only those at the same node. */
  readonly counted: boolean;
  /** Both, as the scripts have it. */
  readonly text: string;
}

/** How a waiter is let in. */
export interface Waiting {
  /** For how many milliseconds: until then it has to renew. */
  readonly term: number;
  /** After so many milliseconds without a word from it, it is taken for dead. */
  readonly patience: number;
}

export interface AcquireInput {
  readonly resource: Resource;
  readonly token: string;
  readonly ttl: number;
  /** Undefined for not at all. */
  readonly waiting: Waiting | undefined;
  readonly wakes: Wakes;
}

/** Others hold the resource. */
export interface QueuedReply {
  /** In how many milliseconds a holder's time is over; -1 where nobody holds it. */
  readonly remaining: number;
  /** The place in the queue, if it waits. */
  readonly arrival: string | undefined;
  /** The last fence that was given out: by the next, it is let in. */
  readonly last: number;
}

/** A lock was granted, with this fence; or not. */
export type AcquireReply = number | QueuedReply;

export interface ReleaseInput {
  readonly keys: ResourceKeys;
  readonly token: string;
  readonly wakes: Wakes;
}

export interface RenewInput {
  readonly resource: Resource;
  readonly token: string;
  /** With which it was granted. */
  readonly granted: number;
  /** Where several resources are held together, the one that is common to them. */
  readonly fence: number;
  readonly ttl: number;
}

export interface PollInput {
  readonly resource: Resource;
  readonly token: string;
  readonly arrival: string;
  readonly ttl: number;
  readonly waiting: Waiting;
}

/** A fence and for how many milliseconds; or 0, in how many a holder's time is over (-1: nobody holds it), and the last fence given out. */
export interface PollReply {
  readonly fence: number;
  readonly remaining: number;
  readonly last: number;
}

export interface RevokeInput {
  readonly resource: Resource;
  readonly wakes: Wakes;
}

export interface RevokedLease {
  readonly token: string;
  readonly fence: number;
}

/** Acquires a resource, or joins its queue. The same token may ask again: a reply may have been lost. */
export const acquireScript = defineScript<AcquireInput, AcquireReply>({
  lua: source('grant', 'acquire-free', 'queue', 'acquire'),
  keys: ({ resource }) => resource.keys,
  args: ({ resource, token, ttl, waiting, wakes }) => [
    token,
    ttl,
    resource.share,
    contended(resource, waiting, wakes),
  ],
  reply: (raw) => {
    if (!Array.isArray(raw)) return Number(raw);
    const [remaining, arrival, last = 0] = raw as unknown[];
    return {
      remaining: Number(remaining),
      arrival: arrival as string | undefined,
      last: Number(last),
    };
  },
});

/** What a script needs where others hold the resource. One argument, since most often nobody reads it. */
function contended({ limited }: Resource, waiting: Waiting | undefined, wakes: Wakes): string {
  return `${limited ? 1 : 0} ${waiting?.term ?? 0} ${waiting?.patience ?? 0} ${wakes.text}`;
}

/** Releases a resource and hands it on, or leaves its queue. Replies whether the token held it. */
export const releaseScript = defineScript<ReleaseInput, boolean>({
  lua: source('release-free', 'grant', 'queue', 'release'),
  keys: ({ keys }) => keys,
  args: ({ token, wakes }) => [token, wakes.text],
  reply: (held) => Number(held) === 1,
});

/** Renews leases of one slot. Replies which are held still. */
export const renewScript = defineScript<readonly RenewInput[], boolean[]>({
  lua: source('grant', 'renew'),
  keys: (leases) => leases.map(({ resource }) => resource.keys[0]),
  args: (leases) =>
    leases.flatMap(({ resource, token, granted, fence, ttl }) => [
      token,
      granted,
      fence,
      ttl,
      resource.share,
    ]),
  reply: (held) => (held as unknown[]).map((each) => Number(each) === 1),
});

/** Says that waiters of one slot still wait, and lets in whose turn it is. */
export const pollScript = defineScript<{ wakes: Wakes; waiters: readonly PollInput[] }, PollReply[]>({
  lua: source('grant', 'queue', 'poll'),
  keys: ({ waiters }) => waiters.flatMap(({ resource }) => resource.keys),
  args: ({ wakes, waiters }) => [
    wakes.text,
    ...waiters.flatMap(({ resource, token, arrival, ttl, waiting }) => [
      token,
      arrival,
      ttl,
      resource.weight,
      resource.capacity,
      waiting.term,
      waiting.patience,
    ]),
  ],
  reply: (raw) =>
    (raw as unknown[][]).map(([fence, remaining, last = fence]) => ({
      fence: Number(fence),
      remaining: Number(remaining),
      last: Number(last),
    })),
});

/** Takes a resource from all who hold it. Replies with what they held. */
export const revokeScript = defineScript<RevokeInput, RevokedLease[]>({
  lua: source('grant', 'queue', 'revoke'),
  keys: ({ resource }) => resource.keys,
  args: ({ wakes }) => [wakes.text],
  reply: (raw) =>
    (raw as [unknown, unknown][]).map(([token, fence]) => ({ token: String(token), fence: Number(fence) })),
});

/** The parts of a script, one after the other: what most calls need comes first, and what they do not is not even defined. */
function source(...parts: string[]): string {
  return parts
    .map((part) => readFileSync(new URL(`./scripts/${part}.lua`, import.meta.url), 'utf8'))
    .join('\n');
}
