import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

const HOST = '127.0.0.1';

/** A TCP relay in front of a server that keeps what each client sends: what is on the wire cannot be hidden from it. */
export class ConnectionRecorder implements AsyncDisposable {
  readonly host = HOST;
  readonly #listener: Server;
  readonly #sockets = new Set<Socket>();
  readonly #sent: Buffer[][] = [];

  private constructor(target: { host: string; port: number }) {
    this.#listener = createServer((client) => this.#relay(client, connect(target)));
  }

  static async start({ host, port }: { host: string; port: number }): Promise<ConnectionRecorder> {
    const recorder = new ConnectionRecorder({ host, port });
    recorder.#listener.listen(0, HOST);
    await once(recorder.#listener, 'listening');
    return recorder;
  }

  get port(): number {
    return (this.#listener.address() as AddressInfo).port;
  }

  /** What the clients have sent, one entry for each connection. */
  get sent(): Buffer[] {
    return this.#sent.map((chunks) => Buffer.concat(chunks));
  }

  /** The same options by way of the recorder. */
  optionsFor<Options extends { host: string }>(options: Options): Options {
    return { ...options, host: this.host, port: this.port };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#listener.close();
    await once(this.#listener, 'close');
  }

  #relay(client: Socket, upstream: Socket): void {
    const chunks: Buffer[] = [];
    this.#sent.push(chunks);
    client.on('data', (chunk: Buffer) => chunks.push(chunk));
    client.pipe(upstream);
    upstream.pipe(client);
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      this.#sockets.add(socket);
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
    }
  }
}
