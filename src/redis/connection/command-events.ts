import { channel } from 'node:diagnostics_channel';
import type { Redis } from 'ioredis';
import { isCluster, type RedisClient } from '../driver/redis-client.js';
import { toRedisError } from '../errors/classify.js';
import type { RedisErrorCode } from '../errors/redis-error.js';

/** What is published on {@link COMMAND_CHANNEL} for each command of a shared client, when it is answered or has failed. */
export interface CommandEvent {
  /** Tells apart connections of the same name in several applications of one process. */
  connectionId: string;
  /** Name of the connection, as given to `RedisModule.forRoot`. */
  connection: string;
  /** Its name, in lower case: `get`, `evalsha`. Those that the driver sends at connect are among them. */
  command: string;
  /** Milliseconds from the call to the reply: what it waited for a connection, and was redirected, included. */
  took: number;
  /** Undefined where it has succeeded. */
  error?: RedisErrorCode | 'UNKNOWN';
}

/**
 * Name of the `node:diagnostics_channel` for commands; messages are {@link CommandEvent}s. Free when nobody listens. Neither keys nor
 * values are told.
 */
export const COMMAND_CHANNEL = 'rednest:redis:command';

const commandChannel = channel(COMMAND_CHANNEL);

type Identity = Pick<CommandEvent, 'connectionId' | 'connection'>;

type Send = Redis['sendCommand'];
type Command = Parameters<Send>[0] & { [IS_TOLD_OF]?: true };

/** The driver sends the same command again from its queue, and to another node where a slot has moved. */
const IS_TOLD_OF = Symbol('is told of');

/** Tells of each command of a client on {@link COMMAND_CHANNEL}. */
export function tellOfCommands(client: RedisClient, identity: Identity): void {
  if (isCluster(client)) client.on('+node', (node: Redis) => tellOfCommandsTo(node, identity));
  else tellOfCommandsTo(client, identity);
}

function tellOfCommandsTo(client: Redis, identity: Identity): void {
  const send: Send = client.sendCommand.bind(client);
  client.sendCommand = (command: Command, pipeline) => {
    if (commandChannel.hasSubscribers && !command[IS_TOLD_OF]) {
      command[IS_TOLD_OF] = true;
      tellOf(command, identity);
    }
    return send(command, pipeline);
  };
}

function tellOf(command: Command, { connectionId, connection }: Identity): void {
  const sentAt = performance.now();
  const tell = (error?: unknown): void => {
    const event: CommandEvent = {
      connectionId,
      connection,
      command: command.name,
      took: performance.now() - sentAt,
    };
    if (error !== undefined) event.error = toRedisError(error)?.code ?? 'UNKNOWN';
    commandChannel.publish(event);
  };
  command.promise.then(() => tell(), tell);
}
