/**
 * The commands that the modules of rednest send, as ACLs have them (`xgroup|create`): those of the smallest ACL in each module's guide, and a
 * test holds them to that.
 */
export const MODULE_COMMANDS = {
  connection: words(
    `info client|setname select watch unwatch multi exec eval evalsha subscribe unsubscribe psubscribe punsubscribe
     cluster|slots cluster|info readonly readwrite asking`,
  ),
  cache: words(
    `mget get set getrange setrange del unlink pttl pexpire scan eval evalsha time ping client|id client|tracking subscribe`,
  ),
  lock: words(`eval evalsha time hgetall hget hset hdel exists pexpire zadd zrem zrange subscribe publish`),
  events: words(
    `eval evalsha time xadd xack xclaim xdel xlen xpending xrange xread xreadgroup xrevrange xtrim xgroup|create xgroup|delconsumer
     xgroup|destroy xinfo|consumers xinfo|groups xinfo|stream hdel hget hgetall hset zadd zcount zrange zrem zremrangebyscore zscore get set
     del exists pexpire publish subscribe unsubscribe psubscribe punsubscribe spublish ssubscribe sunsubscribe`,
  ),
  encryption: words(
    `get set unlink hget hset hdel hgetall pexpire eval evalsha type strlen getrange scan hscan zscan dbsize info cluster|nodes hlen del pttl
     persist time zadd zrem zrange zscore zcard exists`,
  ),
  health: words(`ping info`),
  inspector: words(
    `info ping config|get client|list slowlog|get latency|latest bgsave scan dbsize type memory|usage object|idletime object|refcount strlen llen hlen
     scard zcard xlen unlink evalsha eval getrange time cluster|nodes`,
  ),
} as const satisfies Record<string, readonly string[]>;

/** What is sent to a Cluster only. */
const ON_CLUSTERS: ReadonlySet<string> = new Set(
  words(
    'cluster|slots cluster|info cluster|nodes readonly readwrite asking spublish ssubscribe sunsubscribe',
  ),
);

/** The commands of a module on a topology. */
export function commandsOf(
  module: keyof typeof MODULE_COMMANDS,
  topology: 'standalone' | 'sentinel' | 'cluster',
): readonly string[] {
  const commands = MODULE_COMMANDS[module];
  return topology === 'cluster' ? commands : commands.filter((command) => !ON_CLUSTERS.has(command));
}

function words(text: string): string[] {
  return text.split(/\s+/);
}
