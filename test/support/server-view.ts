import type { RedisServer } from 'rednest/testing';

type ClientInfo = Partial<Record<'id' | 'name' | 'user', string>>;

/** `CLIENT LIST`, as fields by name. */
async function listClients(server: RedisServer): Promise<ClientInfo[]> {
  const list = String(await (await server.admin()).client('LIST'));
  return list
    .trim()
    .split('\n')
    .map((line) => Object.fromEntries(line.split(' ').map((field) => field.split('=', 2))) as ClientInfo);
}

/** The connections of rednest that a server sees: name to user. */
export async function usersByClient(server: RedisServer): Promise<Record<string, string>> {
  const own = (await listClients(server)).filter(({ name = '' }) => name.startsWith('rednest:'));
  return Object.fromEntries(own.map(({ name = '', user = '' }) => [name, user]));
}

/** Closes, from the server's side, the connections whose name ends so. @returns how many they were */
export async function killClients(server: RedisServer, name: string): Promise<number> {
  const admin = await server.admin();
  const found = (await listClients(server)).filter((client) => client.name?.endsWith(name));
  for (const { id = '' } of found) await admin.client('KILL', 'ID', id);
  return found.length;
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
