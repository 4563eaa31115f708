import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { HostAddress } from '../redis/options/redis-options.js';
import { findFreePorts, loopback, type ServerAddress } from './free-port.js';
import { ProxyLane, type LaneState } from './proxy-lane.js';

/** `up` is from the client to the server, `down` from the server to the client. */
export type ProxyDirection = 'up' | 'down' | 'both';

const listenAttempts = 5;

interface Connection {
  client: Socket;
  upstream: Socket;
  lanes: ProxyLane[];
}

/**
 * A TCP proxy in front of a server, for what networks do: connections cut, slow, silent or refused. TLS passes through it.
 *
 * @example
 * ```ts
 * await using proxy = await FaultProxy.start(server);
 * const module = await Test.createTestingModule({ imports: [RedisModule.forRoot(proxy.optionsFor(server.options))] }).compile();
 * proxy.swallow('down');   // commands reach Redis, their answers are lost
 * ```
 */
export class FaultProxy implements AsyncDisposable {
  readonly host = loopback;
  readonly port: number;
  readonly #listener: Server;
  readonly #connections = new Set<Connection>();
  #accepted = 0;
  readonly #state: Record<'up' | 'down', LaneState> = {
    up: { delay: 0, swallow: false, passed: 0, swallowed: 0 },
    down: { delay: 0, swallow: false, passed: 0, swallowed: 0 },
  };

  private constructor(target: ServerAddress, port: number) {
    this.port = port;
    this.#listener = createServer({ allowHalfOpen: true, noDelay: true }, (client) =>
      this.#accept(client, target),
    );
    // A proxy that a test forgets does not keep the process alive.
    this.#listener.unref();
  }

  /**
   * Listens on a free port of this machine, and connects to `target` for each connection that it accepts.
   *
   * @throws Error when it cannot listen
   */
  static async start(target: ServerAddress): Promise<FaultProxy> {
    for (let attempt = 1; ; attempt++) {
      const [port = 0] = await findFreePorts({ count: 1 });
      const proxy = new FaultProxy({ host: target.host, port: target.port }, port);
      try {
        await proxy.#listen();
        return proxy;
      } catch (error) {
        if (attempt === listenAttempts) throw error;
      }
    }
  }

  /** Clients that are connected now. */
  get connections(): number {
    return [...this.#connections].filter(({ client }) => !client.destroyed).length;
  }

  /** Clients that have ever connected. */
  get accepted(): number {
    return this.#accepted;
  }

  /** Bytes passed on so far, and bytes that vanished, by direction. */
  get bytes(): { up: number; down: number; swallowed: { up: number; down: number } } {
    const { up, down } = this.#state;
    return { up: up.passed, down: down.passed, swallowed: { up: up.swallowed, down: down.swallowed } };
  }

  /** The same options by way of the proxy. */
  optionsFor<Options extends HostAddress>(options: Options): Options {
    return { ...options, host: this.host, port: this.port };
  }

  /** Closes the open connections, to the clients and to the server. New ones are accepted. */
  cut(): void {
    for (const { client, upstream } of this.#connections) {
      client.destroy();
      upstream.destroy();
    }
  }

  /** From now on everything in `direction` arrives `ms` milliseconds later, in order. 0 ends it. */
  delay(ms: number, direction: ProxyDirection = 'both'): void {
    for (const state of this.#statesOf(direction)) state.delay = ms;
  }

  /**
   * From now on bytes in `direction` vanish, and so does the news that the connection is closed: a black hole. What was lost
   * stays lost after `restore()`, so that a connection used meanwhile is out of step: `cut()` it.
   */
  swallow(direction: ProxyDirection = 'both'): void {
    for (const state of this.#statesOf(direction)) state.swallow = true;
  }

  /** From now on new connections are refused. Open ones stay: `cut()` closes them. */
  refuse(): void {
    if (this.#listener.listening) this.#listener.close();
  }

  /** Ends all faults. What is delayed arrives at once, and new connections are accepted when it resolves. */
  async restore(): Promise<void> {
    for (const state of this.#statesOf('both')) Object.assign(state, { delay: 0, swallow: false });
    for (const { lanes } of this.#connections) for (const lane of lanes) lane.flush();
    if (!this.#listener.listening) await this.#listen();
  }

  /** Closes everything. */
  async stop(): Promise<void> {
    this.refuse();
    const open = [...this.#connections].flatMap(({ client, upstream }) => [client, upstream]);
    const closed = open.filter((socket) => !socket.closed).map(untilClosed);
    this.cut();
    await Promise.all(closed);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #listen(): Promise<void> {
    this.#listener.listen(this.port, loopback);
    await once(this.#listener, 'listening');
  }

  #accept(client: Socket, target: ServerAddress): void {
    this.#accepted++;
    const upstream = connect({ ...target, allowHalfOpen: true, noDelay: true });
    const lanes = [
      new ProxyLane(client, upstream, this.#state.up),
      new ProxyLane(upstream, client, this.#state.down),
    ];
    const connection = { client, upstream, lanes };
    this.#connections.add(connection);
    for (const socket of [client, upstream]) {
      socket.unref();
      socket.once('close', () => {
        if (client.destroyed && upstream.destroyed) this.#connections.delete(connection);
      });
    }
  }

  #statesOf(direction: ProxyDirection): LaneState[] {
    const { up, down } = this.#state;
    return { up: [up], down: [down], both: [up, down] }[direction];
  }
}

function untilClosed(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once('close', () => resolve()));
}
