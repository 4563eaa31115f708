import type { RedisServer } from 'rednest/testing';

/** The connections of rednest that a server sees: name to user. */
export async function usersByClient(server: RedisServer): Promise<Record<string, string>> {
  const list = String(await (await server.admin()).client('LIST'));
  const clients = list
    .trim()
    .split('\n')
    .map((line) => Object.fromEntries(line.split(' ').map((field) => field.split('=', 2))) as Record<string, string>);
  const own = clients.filter(({ name = '' }) => name.startsWith('rednest:'));
  return Object.fromEntries(own.map(({ name = '', user = '' }) => [name, user]));
}

/** What a server has refused, by its reason (`auth`, `command`, `key`, `channel`), and how often. */
export async function refusals(server: RedisServer): Promise<Record<string, number>> {
  const entries = (await (await server.admin()).acl('LOG')) as unknown[][];
  const counts: Record<string, number> = {};
  for (const entry of entries) {
    const field = (name: string) => entry[entry.indexOf(name) + 1];
    const reason = String(field('reason'));
    counts[reason] = (counts[reason] ?? 0) + Number(field('count'));
  }
  return counts;
}
