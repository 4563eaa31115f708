import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/**
 * Requests a second over so many kept-alive connections, each asking again as soon as it was answered. It looks at
 * little more than the length of an answer, so that the server is what is measured even where it shares a machine.
 */
export async function load(
  port: number,
  path: string,
  { connections, milliseconds }: { connections: number; milliseconds: number },
): Promise<{ rate: number; answered: number }> {
  const lanes = Array.from({ length: connections }, () => new Lane(port, path));
  await Promise.all(lanes.map((lane) => lane.opened()));
  const begin = performance.now();
  for (const lane of lanes) lane.start(begin + milliseconds);
  await Promise.all(lanes.map((lane) => lane.done));
  const answered = lanes.reduce((sum, lane) => sum + lane.answered, 0);
  return { rate: (answered * 1_000) / (performance.now() - begin), answered };
}

/** All read into the same bytes, as none keeps them. */
const received = Buffer.alloc(256 * 1_024);

class Lane {
  answered = 0;
  readonly done: Promise<void>;
  readonly #socket: Socket;
  readonly #request: string;
  #settle: (error?: Error) => void = () => {};
  #until = 0;
  /** Bytes of the answer that are still to come; 0 between two answers. */
  #expected = 0;

  constructor(port: number, path: string) {
    this.#request = `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAccept: application/json\r\n\r\n`;
    this.#socket = connect({
      port,
      host: '127.0.0.1',
      noDelay: true,
      onread: { buffer: received, callback: (bytes, chunk) => this.#receive(chunk, bytes) },
    });
    this.done = new Promise((resolve, reject) => {
      this.#settle = (error) => (error ? reject(error) : resolve());
    });
    this.done.catch(() => {});
    this.#socket.on('error', (error) => this.#settle(error));
    this.#socket.on('close', () => this.#settle(new Error(`The server closed a connection for ${path}`)));
  }

  async opened(): Promise<void> {
    await once(this.#socket, 'connect');
  }

  start(until: number): void {
    this.#until = until;
    this.#socket.write(this.#request);
  }

  #receive(chunk: Uint8Array, bytes: number): boolean {
    if (this.#expected === 0) this.#expected = lengthOf(Buffer.from(chunk.buffer, chunk.byteOffset, bytes));
    this.#expected -= bytes;
    if (this.#expected > 0) return true;
    this.answered++;
    if (performance.now() < this.#until) {
      this.#socket.write(this.#request);
      return true;
    }
    this.#settle();
    this.#socket.destroy();
    return false;
  }
}

/** Of the whole answer that begins with this. A server on the same machine sends the head in one piece. */
function lengthOf(chunk: Buffer): number {
  const head = chunk.indexOf('\r\n\r\n');
  const text = chunk.toString('latin1', 0, head);
  const [, length] = /\r\ncontent-length: (\d+)/i.exec(text) ?? [];
  if (!text.startsWith('HTTP/1.1 200 ') || !length) throw new Error(`Not an answer with a length:\n${text}`);
  return head + 4 + Number(length);
}
