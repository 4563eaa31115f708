import { createHash } from 'node:crypto';
import {
  RedisClusterError,
  RedisCommandError,
  RedisPermissionError,
  type RedisConnection,
  type RedisError,
} from '../redis/index.js';
import { orRedisError, SLOT_COUNT } from '../redis/shared.js';

/** Where the first slot stands in a line of CLUSTER NODES, and the configuration epoch. */
const FIRST_SLOT = 8;
const EPOCH = 6;

/** Which master has which slots of a Cluster. */
export interface SlotOwners {
  /** A short text to compare; '' where there is no Cluster, or it does not tell. */
  readonly text: string;
  /** Why a walk through the masters may miss a key now; undefined where it cannot. */
  readonly doubt: RedisError | undefined;
}

/**
 * Asks each master for its own slots. A key that is moved while masters are walked through may be told of by none. CLUSTER SLOTS would not show
 * a slot that is half moved, and whose keys go to another master one by one.
 *
 * @throws RedisError
 */
export async function slotOwners(connection: RedisConnection): Promise<SlotOwners> {
  if (connection.topology !== 'cluster') return { text: '', doubt: undefined };
  try {
    const views = connection.masters().map((master) => orRedisError(master.cluster('NODES')));
    return ownersOf((await Promise.all(views)).map(String));
  } catch (error) {
    if (error instanceof RedisPermissionError || error instanceof RedisCommandError)
      return { text: '', doubt: error };
    throw error;
  }
}

/** What slots were moved between two looks. */
export function movedSlots(): RedisError {
  return new RedisClusterError('slots of the Cluster were moved meanwhile: a key may have been missed');
}

function ownersOf(views: readonly string[]): SlotOwners {
  const lines = views.map((view) => /^\S+ \S+ \S*\bmyself\b.*$/m.exec(view)?.[0].trim().split(' ') ?? []);
  // A slot that went to another master and came back is seen by the epochs.
  const owned = lines.map((line) => [line[0], line[EPOCH], ...line.slice(FIRST_SLOT)].join(' ')).toSorted();
  const fields = lines.flatMap((line) => line.slice(FIRST_SLOT));
  const isOpen = fields.some((field) => field.startsWith('['));
  // Where it is not all of them, there is a master that the driver does not know of yet.
  const isWhole = !isOpen && fields.reduce((sum, range) => sum + slotsIn(range), 0) === SLOT_COUNT;
  return {
    text: createHash('sha256').update(owned.join(';')).digest('base64url').slice(0, 16),
    doubt: isWhole
      ? undefined
      : new RedisClusterError(
          'slots of the Cluster are being moved, or are served by nobody: a key may have been missed',
        ),
  };
}

/** @param range `7`, or `0-5460` */
function slotsIn(range: string): number {
  const [first, last = first] = range.split('-').map(Number);
  return last! - first! + 1;
}
