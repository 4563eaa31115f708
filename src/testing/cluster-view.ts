import { SLOT_COUNT } from '../redis/keys/hash-slot.js';
import type { RedisServer } from './redis-server.js';

/** What a node says of a node (of itself too), from `CLUSTER NODES`. */
export interface NodeView {
  id: string;
  port: number;
  flags: string[];
  epoch: number;
  /** First and last slot of each range. Slots that are being moved still belong to where they come from. */
  slots: [first: number, last: number][];
}

/** What one node says. */
export interface ClusterView {
  server: RedisServer;
  self: NodeView;
  nodes: NodeView[];
  /** The highest epoch that the node has heard of. */
  currentEpoch: number;
  /** Whether the node considers itself able to serve. */
  ok: boolean;
}

/** Asks every node that runs. */
export async function viewCluster(servers: readonly RedisServer[]): Promise<ClusterView[]> {
  const running = servers.filter(({ state }) => state === 'running');
  return Promise.all(running.map(viewFrom));
}

async function viewFrom(server: RedisServer): Promise<ClusterView> {
  const [information, list] = await server.observe((client) => {
    return Promise.all([client.cluster('INFO'), client.call('CLUSTER', 'NODES')]);
  });
  const nodes = String(list).trim().split('\n').map(parseNode);
  const self = nodes.find(({ flags }) => flags.includes('myself'));
  if (!self) throw new Error('The server is not in a Cluster');
  const currentEpoch = Number(/cluster_current_epoch:(\d+)/.exec(information)?.[1]);
  return { server, self, nodes, currentEpoch, ok: information.includes('cluster_state:ok') };
}

/**
 * Who owns which slot, by slot. Each node speaks for itself only, so that a node that does not answer owns nothing; a master
 * that has not noticed yet that it was replaced loses to the higher epoch.
 */
export function slotOwners(views: ClusterView[]): (ClusterView | undefined)[] {
  const owners = Array.from<ClusterView | undefined>({ length: SLOT_COUNT });
  for (const view of views.toSorted((a, b) => a.self.epoch - b.self.epoch)) {
    for (const [first, last] of view.self.slots) owners.fill(view, first, last + 1);
  }
  return owners;
}

/** Whether every slot is served, and all nodes that answer are of one mind about it. */
export function isSettled(views: ClusterView[]): boolean {
  if (views.length === 0 || !views.every(({ ok }) => ok)) return false;
  if (slotOwners(views).includes(undefined)) return false;
  const opinions = views.map(({ nodes }) => {
    // Of one epoch, too: a node that knows an old one may yet fall for an old claim.
    const owned = nodes.flatMap(({ id, epoch, slots }) =>
      slots.map((range) => [...range, id, epoch].join(' ')),
    );
    return owned.toSorted((a, b) => a.localeCompare(b)).join();
  });
  return new Set(opinions).size === 1;
}

function parseNode(line: string): NodeView {
  const [id = '', address = '', flags = '', , , , epoch = '', , ...ranges] = line.split(' ');
  const slots = ranges.filter((range) => !range.startsWith('['));
  return {
    id,
    port: Number(/:(\d+)@/.exec(address)?.[1]),
    flags: flags.split(','),
    epoch: Number(epoch),
    slots: slots.map((range) => {
      const [first = 0, last = first] = range.split('-').map(Number);
      return [first, last];
    }),
  };
}
