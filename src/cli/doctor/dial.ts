import { lookup } from 'node:dns/promises';
import { connect as connectSocket, isIP, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls';

/** A server by its address, or by its Unix socket. */
export type Place = { readonly host: string; readonly port: number } | { readonly path: string };

/** What answers at an address to an inline `PING`. */
export type Answer =
  /** A reply of Redis' protocol, an error too: whether one may come in is found out later. */
  | 'redis'
  /** A TLS alert, or the end of the connection. */
  | 'refused'
  | 'silence'
  | 'something else';

/** The longest wait for an answer, in milliseconds: Redis gives it at once. */
const LONGEST_SILENCE = 2_000;

export function placeText(place: Place): string {
  if ('path' in place) return place.path;
  return place.host.includes(':') ? `[${place.host}]:${place.port}` : `${place.host}:${place.port}`;
}

/** The addresses behind a name. @throws NodeJS.ErrnoException */
export async function addressesOf(host: string): Promise<string[]> {
  return (await lookup(host, { all: true })).map(({ address }) => address);
}

export function isLoopback(address: string): boolean {
  return /^127\.|^::1$|^::ffff:127\./.test(address);
}

/** Opens a connection in plaintext. @throws NodeJS.ErrnoException */
export async function dial(place: Place, timeout: number): Promise<Socket> {
  const socket = connectSocket(place);
  await opened(socket, 'connect', timeout);
  return socket;
}

/** Opens a connection with TLS. @throws NodeJS.ErrnoException of the network, or of the handshake */
export async function dialTls(place: Place, tls: ConnectionOptions, timeout: number): Promise<TLSSocket> {
  const name = 'host' in place && isIP(place.host) === 0 ? { servername: place.host } : {};
  const socket = connectTls({ ...place, ...name, ...tls });
  await opened(socket, 'secureConnect', timeout);
  return socket;
}

/** Waits for an event, and destroys the socket if it does not come. */
function opened(socket: Socket, event: 'connect' | 'secureConnect', timeout: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => {
      clearTimeout(timer);
      socket.destroy();
      reject(error);
    };
    const closed = () => fail(failure('ECONNRESET', 'the connection was closed'));
    const timer = setTimeout(
      () => fail(failure('ETIMEDOUT', `no answer within ${timeout} ms`)),
      timeout,
    ).unref();
    // Stays: what comes later is of no interest, and must not be an error that nobody handles.
    socket.on('error', fail);
    socket.once('close', closed);
    socket.once(event, () => {
      clearTimeout(timer);
      socket.off('close', closed);
      resolve();
    });
  });
}

function failure(code: string, message: string): NodeJS.ErrnoException {
  return Object.assign(new Error(message), { code });
}

/**
 * Greets the server, and closes the connection.
 *
 * @throws NodeJS.ErrnoException where TLS fails after the handshake, as for a client certificate that is missing
 */
export function greet(socket: Socket, timeout: number): Promise<Answer> {
  return new Promise<Answer>((resolve, reject) => {
    const timer = setTimeout(() => resolve('silence'), Math.min(timeout, LONGEST_SILENCE)).unref();
    socket.once('data', (data) => resolve(answerOf(data)));
    socket.once('close', () => resolve('refused'));
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code?.startsWith('ERR_SSL')) reject(error);
      else resolve('refused');
    });
    socket.write('PING\r\n');
    socket.once('close', () => clearTimeout(timer));
  }).finally(() => socket.destroy());
}

/** The first byte of what a TLS server says to who does not speak TLS (RFC 8446, 5.1). */
const TLS_ALERT = 21;

function answerOf(data: Buffer): Answer {
  if (data[0] === TLS_ALERT) return 'refused';
  return /^[+-]/.test(data.toString('latin1', 0, 1)) ? 'redis' : 'something else';
}
