import { Redis } from 'ioredis';
import type { HostAddress, RedisCommonOptions } from '../redis/options/redis-options.js';
import {
  adminConnection,
  credentialOptions,
  prepareAccess,
  type Access,
  type ServerOptions,
} from './access.js';
import { findFreePorts, loopback } from './free-port.js';
import { findServerBinary } from './server-binary.js';
import { dataDirectives, renderConfig, type Directive } from './server-config.js';
import { ServerHome } from './server-home.js';
import { ServerProcess, ServerStartError, type ServerState } from './server-process.js';

const startAttempts = 5;

/** What a server is started with. */
export interface ServerSpecification {
  port: number;
  access: Access;
  directives: Directive[];
  config?: Record<string, string>;
  /** Further files in the directory of the server, by name. */
  files?: Record<string, string>;
  sentinel?: boolean;
  /** Run at each start, before the server counts as ready. */
  prepare?: (client: Redis) => Promise<void>;
}

/** A real server that runs for a test. */
export class RedisServer implements AsyncDisposable {
  readonly host = loopback;
  readonly port: number;
  /** To hand to `RedisModule.forRoot`. */
  readonly options: HostAddress & RedisCommonOptions & { port: number };
  readonly #access: Access;
  readonly #process: ServerProcess;
  readonly #admin: Redis;
  readonly #observer: Redis;

  /** Use `startRedis`. */
  private constructor(
    specification: ServerSpecification,
    binary: string,
    home: ServerHome,
    configFile: string,
  ) {
    const { port, access } = specification;
    this.port = port;
    this.options = { host: loopback, port, ...credentialOptions(access) };
    this.#access = access;
    this.#process = new ServerProcess({
      binary,
      home,
      arguments: specification.sentinel ? [configFile, '--sentinel'] : [configFile],
      probe: (signal) => this.#probe(signal, specification.prepare),
    });
    this.#admin = new Redis(adminConnection(access, port));
    this.#admin.on('error', () => {});
    this.#observer = new Redis(adminConnection(access, port));
    this.#observer.on('error', () => {});
    this.#observer.on('connect', () => this.#observer.stream.unref());
  }

  /** Starts a server; what it leaves behind when it fails is removed. */
  static async launch(specification: ServerSpecification): Promise<RedisServer> {
    const binary = await findServerBinary();
    const home = new ServerHome();
    let server: RedisServer | undefined;
    try {
      for (const [name, content] of Object.entries(specification.files ?? {}))
        await home.write(name, content);
      const configFile = await home.write('redis.conf', await renderConfig(home, specification));
      server = new RedisServer(specification, binary, home, configFile);
      await server.#process.start();
      return server;
    } catch (error) {
      await (server ? server.stop() : home.remove());
      throw error;
    }
  }

  /** Number of the process; `undefined` while it does not run. */
  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** `paused` and `ended` are what `pause()` and `kill()` lead to. */
  get state(): ServerState {
    return this.#process.state;
  }

  /**
   * A client with all permissions, whatever `password` and `acl` say: for what the test itself asks of the server. It is the
   * same one at each call, does not reconnect by itself (call `admin()` again), and is closed by `stop()`.
   *
   * @throws Error when the server cannot be reached
   */
  async admin(): Promise<Redis> {
    await connectUnlessOpen(this.#admin);
    return this.#admin;
  }

  /**
   * What the helper itself asks of the server, on a connection of its own: nothing that a test does with the client of `admin()`
   * gets in its way, and a test that forgets to stop the server is not kept alive by it.
   *
   * @internal
   */
  async observe<T>(ask: (client: Redis) => Promise<T>): Promise<T> {
    // The connection does not keep Node alive while the answer is awaited.
    const hold = setInterval(() => {}, 60_000);
    try {
      await connectUnlessOpen(this.#observer);
      return await ask(this.#observer);
    } finally {
      clearInterval(hold);
    }
  }

  /** SIGKILL: what was not persisted is lost, connections break. Resolves when the process is gone. */
  async kill(): Promise<void> {
    await this.#process.kill();
  }

  /** SIGSTOP: connections stay open and new ones are accepted by the kernel, but nothing is answered. */
  pause(): void {
    this.#process.pause();
  }

  /** SIGCONT: what was sent meanwhile is now answered. */
  resume(): void {
    this.#process.resume();
  }

  /**
   * Starts the server again on the same port with the same configuration, after `kill()` or while it runs. Data is kept only
   * if `config` asks for persistence, such as `{ appendonly: 'yes' }`.
   */
  async restart(): Promise<void> {
    await this.#process.restart();
  }

  /** Ends the server, in whatever state it is, and removes its files. */
  async stop(): Promise<void> {
    closeAtOnce(this.#admin);
    closeAtOnce(this.#observer);
    await this.#process.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** The last lines that the server wrote, also after its end. */
  logs(): string[] {
    return this.#process.logs();
  }

  async #probe(signal: AbortSignal, prepare?: (client: Redis) => Promise<void>): Promise<void> {
    const client = new Redis(adminConnection(this.#access, this.port));
    const abort = () => closeAtOnce(client);
    signal.addEventListener('abort', abort);
    let cause: unknown;
    client.on('error', (error) => (cause = error));
    try {
      // Logging in as a user that only this server has proves that no other process answers on the port.
      await client.connect();
      await prepare?.(client);
    } catch (error) {
      throw cause ?? error;
    } finally {
      signal.removeEventListener('abort', abort);
      closeAtOnce(client);
    }
  }
}

async function connectUnlessOpen(client: Redis): Promise<void> {
  if (client.status === 'wait' || client.status === 'end') await client.connect();
}

/** `disconnect()` alone would wait two seconds for a server that is paused or gone. */
function closeAtOnce(client: Redis): void {
  // Disconnecting once more would set a timer that nothing clears.
  if (client.status === 'end') return;
  client.disconnect();
  // There is none before the first connection.
  (client.stream as Redis['stream'] | undefined)?.destroy();
}

/** Runs a start again, with other ports, when another process took one of them in between. */
export async function retryTakenPorts<T>(start: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await start();
    } catch (error) {
      if (attempt === startAttempts || !(error instanceof ServerStartError && error.portTaken)) throw error;
    }
  }
}

/**
 * Starts a real Redis (or Valkey) on a free port of this machine. It ends with the test process, however that ends.
 *
 * @throws ServerStartError with the server's last lines when it does not start, as with a wrong directive
 * @throws Error when no server is installed, or no `selfsigned` for TLS
 *
 * @example
 * ```ts
 * await using server = await startRedis({ tls: true, acl: ['app on >secret ~app:* +@all'] });
 * const module = await Test.createTestingModule({ imports: [RedisModule.forRoot(server.options)] }).compile();
 * ```
 */
export async function startRedis(options: ServerOptions = {}): Promise<RedisServer> {
  const access = await prepareAccess(options);
  const directives = dataDirectives(access, options);
  return retryTakenPorts(async () => {
    const [port = 0] = await findFreePorts({ count: 1 });
    const { config = {} } = options;
    return RedisServer.launch({ port, access, directives, config });
  });
}
