import type { ChainableCommander } from 'ioredis';
import { hashSlot } from '../../../redis/index.js';
import { queuedCommands, showValue } from '../../../redis/shared.js';
import type { TopicKeys } from '../topic-keys.js';
import type { Command } from './scripts.js';

/** Of a command: what Lua can hand on. */
const MOST_PARTS = 7_500;

/** What frames a transaction: the script is one. */
const FRAME = new Set(['multi', 'exec']);

/**
 * The commands of a transaction that was not executed.
 *
 * @param isCluster whether all keys must lie in the slot of the topic
 * @throws TypeError for what is no such transaction, or cannot be done in that of an event
 */
export function commandsOf(multi: ChainableCommander, keys: TopicKeys, isCluster: boolean): Command[] {
  const queued = queuedCommands(multi);
  if (!queued)
    throw new TypeError(
      `commit: ${showValue(multi)} is not a transaction that was not executed, redis.multi()…`,
    );
  const commands = queued
    .filter(({ name }) => !FRAME.has(name.toLowerCase()))
    .map((command) => ({
      parts: [command.name, ...command.args.map((each) => (Buffer.isBuffer(each) ? each : String(each)))],
      keys: command.getKeys(),
    }));
  if (isCluster) checkSlots(commands, keys);
  checkSizes(commands);
  return commands;
}

function checkSizes(commands: readonly Command[]): void {
  const large = commands.find(({ parts }) => parts.length > MOST_PARTS);
  if (!large) return;
  const [name] = large.parts;
  throw new TypeError(
    `commit: ${String(name)} has ${large.parts.length - 1} arguments; a script takes ${MOST_PARTS - 1} at most`,
  );
}

function checkSlots(commands: readonly Command[], { topic, groups }: TopicKeys): void {
  const slot = hashSlot(groups);
  const elsewhere = commands.flatMap((command) => command.keys).find((each) => hashSlot(each) !== slot);
  if (elsewhere === undefined) return;
  throw new TypeError(
    `commit: on a Cluster, all keys must lie in the slot of the topic: '${String(elsewhere)}' needs '{${topic}}' in its name`,
  );
}
