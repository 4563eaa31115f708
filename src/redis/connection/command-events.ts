import { channel } from 'node:diagnostics_channel';
import type { Redis } from 'ioredis';
import { isCluster, type RedisClient } from '../driver/redis-client.js';
import { TurnClock } from '../../timing/turn-clock.js';
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
  // Two: what is sent in a turn of the event loop may be sent long after what was answered in it.
  const sending = new TurnClock();
  const answered = new TurnClock();
  client.sendCommand = (command: Command, pipeline) => {
    if (commandChannel.hasSubscribers && !command[IS_TOLD_OF]) {
      command[IS_TOLD_OF] = true;
      tellOf(command, new ToldCommand(identity, command.name, sending.now()), answered);
    }
    return send(command, pipeline);
  };
}

/** Of one shape, and made when the command is sent: a closure and another object for each would cost as much again. */
class ToldCommand implements CommandEvent {
  readonly connectionId: string;
  readonly connection: string;
  error?: NonNullable<CommandEvent['error']>;

  /** @param took until it is answered, when it was sent */
  constructor(
    { connectionId, connection }: Identity,
    readonly command: string,
    public took: number,
  ) {
    this.connectionId = connectionId;
    this.connection = connection;
  }
}

/**
 * By the functions that the driver settles it with, not by its promise: another promise for each command costs more than all the rest. The
 * driver calls them again for a reply that comes too late, and a Cluster's sends the command to another node instead of rejecting it.
 */
function tellOf(command: Command, event: ToldCommand, clock: TurnClock): void {
  const { resolve, reject } = command;
  const tell = (): void => {
    event.took = Math.max(0, clock.now() - event.took);
    commandChannel.publish(event);
  };
  command.resolve = (result) => {
    const isOpen = !command.isSettled;
    resolve.call(command, result);
    // What cannot be converted is rejected instead, and told of there.
    if (isOpen && event.error === undefined) tell();
  };
  command.reject = (error) => {
    const isOpen = !command.isSettled;
    reject.call(command, error);
    if (!isOpen || !command.isSettled) return;
    event.error = toRedisError(error)?.code ?? 'UNKNOWN';
    tell();
  };
}
