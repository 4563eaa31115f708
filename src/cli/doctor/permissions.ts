import type { Redis } from 'ioredis';
import type { RedisConnection } from '../../redis/index.js';
import type { Check } from './examined.js';
import { commandsOf, MODULE_COMMANDS } from './module-commands.js';
import { counted, listText } from '../output/text.js';

/** Of which commands each module of rednest would be refused. Whether keys and channels are allowed depends on the application. */
export const permissions: Check = {
  name: 'permissions',
  async look({ connection }, findings) {
    const modules = Object.keys(MODULE_COMMANDS) as (keyof typeof MODULE_COMMANDS)[];
    const needed = modules.map((module) => [module, commandsOf(module, connection.topology)] as const);
    const all = [...new Set(needed.flatMap(([, commands]) => commands))];
    const refused = await refusedOf(connection, all);
    if (!refused) {
      findings.skipped(
        'what this user may do cannot be tried',
        'Grant +acl|dryrun for the time of the test, or +multi +exec',
      );
      return;
    }
    const complete = needed.filter(([, commands]) => !commands.some((command) => refused.has(command)));
    for (const [module, commands] of needed) {
      const missing = commands.filter((command) => refused.has(command));
      if (missing.length > 0)
        findings.warning(
          `${module} lacks ${counted(missing.length, 'command')}: ${missing.join(' ')}`,
          `Where it is used: grant ${missing.map((command) => `+${command}`).join(' ')}`,
        );
    }
    if (complete.length > 0)
      findings.ok(
        `the user may run what ${listText(complete.map(([module]) => module))} need; keys are not tried`,
      );
  },
};

/** Runs a command as if, and gives the reply, or the text of the error. */
type Attempt = (parameters: readonly string[]) => Promise<string>;

/**
 * Which commands the user may not run; undefined where it cannot be found out. `ACL DRYRUN` tells (Redis 7.0); where it is not there or not
 * permitted, the commands are queued in a transaction that fails as a whole, since a server checks permissions when it queues.
 */
async function refusedOf(
  connection: RedisConnection,
  commands: readonly string[],
): Promise<ReadonlySet<string> | undefined> {
  return connection.withDedicated(
    connection.topology === 'cluster' ? { key: 'rednest' } : {},
    async (client) => {
      try {
        return (await byDryRun(client, commands)) ?? (await byTransaction(client, commands));
      } finally {
        // With it goes whatever it was brought to.
        client.disconnect();
      }
    },
  );
}

async function byDryRun(client: Redis, commands: readonly string[]): Promise<Set<string> | undefined> {
  const user = await reply(client.call('ACL', 'WHOAMI'));
  const attempt: Attempt = (parameters) => reply(client.call('ACL', 'DRYRUN', user, ...parameters));
  return (await attempt(['PING'])) === 'OK' ? refusals(attempt, commands) : undefined;
}

async function byTransaction(client: Redis, commands: readonly string[]): Promise<Set<string> | undefined> {
  // In a transaction the driver would take the reply for that of a subscription.
  const [subscribing, queued] = partition(commands, (command) => command.endsWith('subscribe'));
  if ((await reply(client.call('MULTI'))) !== 'OK') return undefined;
  // A command that cannot be queued: from now on nothing of this transaction will ever be executed.
  await reply(client.call('GET'));
  const refused = await refusals(
    (parameters) => {
      const [command = '', ...rest] = parameters;
      return reply(client.call(command, ...rest));
    },
    queued.filter((command) => command !== 'multi' && command !== 'exec'),
  );
  if (isRefusal(await reply(client.call('EXEC')))) refused.add('exec');
  for (const command of subscribing.filter((each) => each === 'subscribe' || each === 'psubscribe'))
    if (isRefusal(await reply(client.call(command, 'rednest:doctor')))) refused.add(command);
  return refused;
}

/** The most parameters that one of the commands needs, its name included. */
const MOST_PARAMETERS = 8;

/** Tries the commands, with as many parameters as each wants: permissions are looked at only after their number. */
async function refusals(attempt: Attempt, commands: readonly string[]): Promise<Set<string>> {
  const refused = new Set<string>();
  let pending = commands.map((command) => ({ command, parameters: command.split('|') }));
  for (let count = 1; count <= MOST_PARAMETERS && pending.length > 0; count++) {
    const replies = await Promise.all(pending.map(({ parameters }) => attempt(parameters)));
    for (const [index, text] of replies.entries()) if (isRefusal(text)) refused.add(pending[index]!.command);
    pending = pending
      .filter((_, index) => /wrong number of arguments/i.test(replies[index]!))
      .map(({ command, parameters }) => ({ command, parameters: [...parameters, '1'] }));
  }
  return refused;
}

/** The command is refused: not merely a key or a channel, which are those of nobody. */
function isRefusal(text: string): boolean {
  return /no permissions? to run/i.test(text);
}

async function reply(promise: Promise<unknown>): Promise<string> {
  try {
    return String(await promise);
  } catch (error) {
    return (error as Error).message;
  }
}

function partition<Item>(items: readonly Item[], matches: (item: Item) => boolean): [Item[], Item[]] {
  return [items.filter(matches), items.filter((item) => !matches(item))];
}
