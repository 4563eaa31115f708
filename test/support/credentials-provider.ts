import type { RedisCredentials } from 'rednest';
import type { RedisServer } from 'rednest/testing';

type Answer = () => RedisCredentials | Promise<RedisCredentials>;

/** How the first bytes of a connection begin that logs in as the user `app`: `HELLO 3 AUTH app`, or `AUTH app` with RESP2. */
export const LOGIN = /^\*[35]\r\n\$[45]\r\n(?:hello\r\n\$1\r\n3\r\n\$4\r\nAUTH|auth)\r\n\$3\r\napp\r\n/;

/** A `credentials` callback that counts, and whose answer a test can change. */
export class TestProvider {
  asked = 0;
  answer: Answer;

  /** Answers at first with what the server's options carry. */
  constructor({
    options: { username = '', password = '' },
  }: {
    options: { username?: string; password?: string };
  }) {
    this.answer = () => ({ username, password });
  }

  readonly ask = async (): Promise<RedisCredentials> => {
    this.asked++;
    return this.answer();
  };
}

/** Gives the user another password on these servers. Connections that are open stay open. */
export async function changePassword(servers: readonly RedisServer[], password: string): Promise<void> {
  for (const server of servers)
    await (await server.admin()).acl('SETUSER', 'app', 'resetpass', `>${password}`);
}

/** Closes, from the servers' side, all connections of the user. */
export async function killUser(servers: readonly RedisServer[]): Promise<void> {
  for (const server of servers) await (await server.admin()).client('KILL', 'USER', 'app');
}
