import { createHash } from 'node:crypto';
import { orRedisError } from '../../redis/shared.js';
import type { RedisConnection } from '../../redis/index.js';

/**
 * Which master has which slots of a Cluster, as a short text to compare; '' elsewhere. A key that is moved while masters are walked through
 * may be told of by none.
 *
 * @throws RedisError
 */
export async function slotOwners(connection: RedisConnection): Promise<string> {
  if (connection.topology !== 'cluster') return '';
  const views = await Promise.all(
    connection.masters().map((master) => orRedisError(master.cluster('SLOTS'))),
  );
  const owners = views.map((ranges) =>
    ranges
      .map(([start, end, master]) => `${start}-${end}:${master?.[2]}`)
      .toSorted()
      .join(),
  );
  return createHash('sha256').update(owners.toSorted().join(';')).digest('base64url').slice(0, 16);
}
