import { Command, type Redis } from 'ioredis';

/**
 * Sends a command that the connection's `commandTimeout` is not for: it is settled by its reply, or by the loss of the connection. Who gives
 * up waiting for it knows so whether the reply is still to come, and sends no second one meanwhile.
 *
 * @param name and what follows it: `askUntimed(client, 'cluster', 'INFO')`
 */
export function askUntimed(client: Redis, name: string, ...parameters: string[]): Promise<string> {
  const command = new Command(name, parameters, { replyEncoding: 'utf8' });
  command.setTimeout = () => undefined;
  return client.sendCommand(command) as Promise<string>;
}
