import type { OutgoingHttpHeader, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { HttpExchange, HttpRequest, OnBody, ReplyWay } from './http-exchange.js';
import { hasMethod } from './has-method.js';
import { Replacement } from './replacement.js';

type Serializer = (payload: unknown) => unknown;

/** What is used of Fastify's reply. */
export interface FastifyReply {
  readonly raw: ServerResponse;
  readonly statusCode: number;
  code(status: number): this;
  header(name: string, value: unknown): this;
  getHeader(name: string): OutgoingHttpHeader | undefined;
  getHeaders(): OutgoingHttpHeaders;
  removeHeader(name: string): this;
  serializer(serializer: Serializer | null): this;
  serialize(payload: unknown): unknown;
  send: (this: FastifyReply, payload?: unknown) => FastifyReply;
  /** Of `@fastify/view`. */
  view?: (...rest: unknown[]) => unknown;
}

const JSON_TYPE = 'application/json; charset=utf-8';

/** {@link HttpExchange} on Fastify. */
export class FastifyExchange implements HttpExchange {
  readonly request: HttpRequest;
  readonly raw: ServerResponse;
  readonly hasHooks = true;
  readonly #reply: FastifyReply;
  /** The reply's own `send`, while another stands in its place. */
  #send: FastifyReply['send'];

  constructor(request: HttpRequest, reply: FastifyReply) {
    this.request = request;
    this.raw = reply.raw;
    this.#reply = reply;
    this.#send = reply.send;
  }

  status(): number {
    return this.#reply.statusCode;
  }

  header(name: string): OutgoingHttpHeader | undefined {
    return this.#reply.getHeader(name);
  }

  headers(): OutgoingHttpHeaders {
    return this.#reply.getHeaders();
  }

  setHeader(name: string, value: string | readonly string[]): void {
    this.#reply.header(name, value);
  }

  capture(onBody: OnBody): void {
    const reply = this.#reply;
    const send = this.#send;
    let isSeen = false;
    reply.send = (payload?: unknown) => {
      if (isSeen) return send.call(reply, payload);
      isSeen = true;
      if (isToBeSerialised(payload)) {
        this.#captureText(onBody);
        return send.call(reply, payload);
      }
      const bytes = this.#finalBody(payload);
      if (onBody(bytes) === 'send') return send.call(reply, bytes ?? payload);
      this.send(304, undefined);
      return reply;
    };
  }

  replace(write: () => void, way: ReplyWay): Replacement {
    const reply = this.#reply;
    const send = this.#send;
    const replacement = new Replacement(write, this);
    const view = way === 'render' ? reply.view : undefined;
    if (way === 'send') reply.send = (payload) => (replacement.run() ? reply : send.call(reply, payload));
    if (view) reply.view = (...rest) => (replacement.run() ? reply : view.apply(reply, rest));
    return replacement;
  }

  send(status: number, body: Buffer | undefined): void {
    const reply = this.#reply.code(status);
    if (!body) reply.removeHeader('content-type');
    this.#send.call(reply, body);
  }

  /** The serializer is asked after the hooks for `preSerialization`, and before those for `onSend`, which compress. */
  #captureText(onBody: OnBody): void {
    const reply = this.#reply;
    const previous = serializerOf(reply);
    this.#completeType(JSON_TYPE);
    reply.serializer((payload) => {
      reply.serializer(previous);
      const serialised = reply.serialize(payload);
      const bytes = typeof serialised === 'string' ? Buffer.from(serialised) : undefined;
      if (onBody(bytes) === 'send') return serialised;
      reply.code(304).removeHeader('content-type');
      return undefined;
    });
  }

  /** The bytes of a body that needs no serialising, with the content type that Fastify gives it. */
  #finalBody(payload: unknown): Buffer | undefined {
    if (ArrayBuffer.isView(payload)) {
      this.#completeType('application/octet-stream');
      return Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
    }
    if (typeof payload !== 'string') return undefined;
    const hasType = this.header('content-type') !== undefined;
    // A serializer of the application's is given text too, where it has a content type.
    const text = hasType && serializerOf(this.#reply) ? this.#reply.serialize(payload) : payload;
    this.#completeType('text/plain; charset=utf-8');
    return typeof text === 'string' ? Buffer.from(text) : undefined;
  }

  /** Fastify itself does so for what it serialises, and not for bytes. */
  #completeType(missing: string): void {
    const type = this.header('content-type');
    if (type === undefined) this.setHeader('content-type', missing);
    else if (typeof type === 'string' && /json/i.test(type) && !/charset\s*=/i.test(type))
      this.setHeader('content-type', `${type}; charset=utf-8`);
  }
}

function isToBeSerialised(payload: unknown): boolean {
  if (typeof payload === 'number' || typeof payload === 'boolean' || payload === null) return true;
  if (typeof payload !== 'object' || payload instanceof Error || ArrayBuffer.isView(payload)) return false;
  return (
    !hasMethod(payload, 'pipe', 'getReader') &&
    Object.prototype.toString.call(payload) !== '[object Response]'
  );
}

/** The serializer that was set on a reply; Fastify has no public way to ask. */
function serializerOf(reply: object): Serializer | null {
  const symbol = Object.getOwnPropertySymbols(reply).find(
    ({ description }) => description === 'fastify.reply.serializer',
  );
  return symbol === undefined ? null : ((reply as Record<symbol, Serializer | null>)[symbol] ?? null);
}
