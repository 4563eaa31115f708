import { RedisServer, type ServerSpecification } from './redis-server.js';

/** Starts several servers at a time. When one does not start, the others are stopped again. */
export async function launchAll(specifications: ServerSpecification[]): Promise<RedisServer[]> {
  const outcomes = await Promise.allSettled(specifications.map((each) => RedisServer.launch(each)));
  const failure = outcomes.find((outcome) => outcome.status === 'rejected');
  const servers = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
  if (!failure) return servers;
  await stopAll(servers);
  throw failure.reason;
}

/** Stops all, also when one fails to. */
export async function stopAll(servers: Iterable<RedisServer>): Promise<void> {
  const outcomes = await Promise.allSettled([...servers].map((server) => server.stop()));
  const failure = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failure) throw failure.reason;
}

/** Whether a replica has everything that its master has, and is sent what follows. */
export async function isInStep(replica: RedisServer): Promise<boolean> {
  const information = await replica.observe((client) => client.info('replication'));
  return information.includes('master_link_status:up');
}

/** Servers that belong together: what can be done to one can be done to all. */
export abstract class ServerGroup implements AsyncDisposable {
  readonly #members: readonly RedisServer[];

  constructor(members: readonly RedisServer[]) {
    this.#members = members;
  }

  /** `kill()` of every server. */
  async kill(): Promise<void> {
    await Promise.all(this.#members.map((server) => server.kill()));
  }

  /** `pause()` of every server that runs. */
  pause(): void {
    for (const server of this.#members) if (server.state === 'running') server.pause();
  }

  /** `resume()` of every server that is paused. */
  resume(): void {
    for (const server of this.#members) if (server.state === 'paused') server.resume();
  }

  /** `restart()` of every server; roles are kept. Resolves when all of them answer, which is before they are in step again. */
  async restart(): Promise<void> {
    await Promise.all(this.#members.map((server) => server.restart()));
  }

  /** Ends every server, in whatever state it is, and removes its files. */
  async stop(): Promise<void> {
    this.closeAdmin();
    await stopAll(this.#members);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** The last lines that each server wrote, by its port. */
  logs(): Record<number, string[]> {
    return Object.fromEntries(this.#members.map((server) => [server.port, server.logs()]));
  }

  /** Closes the client that `admin()` opened. */
  protected abstract closeAdmin(): void;
}
