import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { RedisCommandError } from '../../redis/index.js';
import { orRedisError, readPersistence } from '../../redis/shared.js';
import type { AskedNode } from '../../inquiry/asked-node.js';
import type { Info } from '../../redis/shared.js';
import type { Inquiry } from '../../inquiry/inquiry.js';
import type { Report } from '../../inquiry/omission.js';
import type { ResolvedSaveOptions } from '../options/resolve-inspector-options.js';
import type { SaveFigures, SaveState } from './reports.js';
import { reportOf, type Several } from '../../inquiry/together.js';

/** Milliseconds between looks whether a snapshot is written. */
const PAUSE = 100;

const WORST_FIRST = ['failed', 'scheduled', 'under way', 'started', 'saved'] as const satisfies SaveState[];

export async function save(inquiry: Inquiry, options: ResolvedSaveOptions): Promise<Report<SaveFigures>> {
  return reportOf(await inquiry.ofAll((node) => saveOn(node, options)), together);
}

async function saveOn(node: AskedNode, { wait }: ResolvedSaveOptions): Promise<SaveFigures | undefined> {
  const deadline = performance.now() + wait;
  const [before, state] = await Promise.all([
    wait > 0 ? node.info('persistence') : undefined,
    node.ask('BGSAVE', begin),
  ]);
  if (!state || !before) return state && { state };
  return { state: await waitForEnd(node, { state, before, deadline }) };
}

async function begin(client: Redis): Promise<SaveState> {
  try {
    // Without SCHEDULE it is refused while the append-only file is rewritten.
    const reply: string = await orRedisError(client.bgsave('SCHEDULE'));
    return reply.includes('scheduled') ? 'scheduled' : 'started';
  } catch (error) {
    if (error instanceof RedisCommandError && error.message.includes('already in progress'))
      return 'under way';
    throw error;
  }
}

interface Begun {
  readonly state: SaveState;
  readonly before: Info;
  /** By `performance.now()`. */
  readonly deadline: number;
}

async function waitForEnd(node: AskedNode, { state, before, deadline }: Begun): Promise<SaveState> {
  while (performance.now() < deadline) {
    const info = await node.info('persistence');
    if (!info) return state;
    const hasBegun = state !== 'scheduled' || snapshotsOf(info) !== snapshotsOf(before);
    const { saving, lastStatus } = readPersistence(info).rdb;
    if (hasBegun && !saving) return lastStatus === 'ok' ? 'saved' : 'failed';
    await sleep(Math.min(PAUSE, Math.max(0, deadline - performance.now())), undefined, { ref: false });
  }
  return state;
}

/** Changes with each snapshot. Before Redis 7 only the second in which the last one was written is known. */
function snapshotsOf(info: Info): string | undefined {
  return info.text('rdb_saves') ?? info.text('rdb_last_save_time');
}

function together(nodes: Several<SaveFigures>): SaveFigures {
  const state = WORST_FIRST.find((each) => nodes.some((node) => node.state === each));
  return { state: state ?? nodes[0].state };
}
