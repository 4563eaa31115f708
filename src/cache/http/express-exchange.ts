import type { OutgoingHttpHeader, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { Replacement } from './replacement.js';
import type { HttpExchange, HttpRequest, OnBody, ReplyWay } from './http-exchange.js';

type Send = (this: ExpressResponse, body?: unknown) => ExpressResponse;

/** What is used of Express' response. */
export interface ExpressResponse extends ServerResponse {
  send: Send;
  json: Send;
  render: (this: ExpressResponse, ...rest: unknown[]) => unknown;
}

const CHARSET = /;\s*charset\s*=\s*(?:"[^"]*"|[^;]*)/i;

/** {@link HttpExchange} on Express. */
export class ExpressExchange implements HttpExchange {
  readonly request: HttpRequest;
  readonly raw: ExpressResponse;
  readonly hasHooks = false;

  constructor(request: HttpRequest, response: ExpressResponse) {
    this.request = request;
    this.raw = response;
  }

  status(): number {
    return this.raw.statusCode;
  }

  header(name: string): OutgoingHttpHeader | undefined {
    return this.raw.getHeader(name);
  }

  headers(): OutgoingHttpHeaders {
    return this.raw.getHeaders();
  }

  setHeader(name: string, value: string | readonly string[]): void {
    this.raw.setHeader(name, value);
  }

  capture(onBody: OnBody): void {
    const response = this.raw;
    const send = response.send;
    let isSeen = false;
    response.send = (body?: unknown) => {
      // Express makes text of an object and calls `send` again with it.
      if (isSeen || isToBeSerialised(body)) return send.call(response, body);
      isSeen = true;
      const bytes = this.#finalBody(body);
      if (onBody(bytes) === 'send') return send.call(response, bytes ?? body);
      this.send(304, undefined);
      return response;
    };
  }

  /** Each property that is added to a response takes longer than one would think, since Express has changed its prototype. */
  replace(write: () => void, way: ReplyWay): Replacement {
    const response = this.raw;
    const { send, render } = response;
    const replacement = new Replacement(write, this);
    // What Nest sends as JSON comes here as well, as text.
    if (way === 'send') response.send = (body) => (replacement.run() ? response : send.call(response, body));
    else response.render = (...rest) => (replacement.run() ? undefined : render.apply(response, rest));
    return replacement;
  }

  send(status: number, body: Buffer | undefined): void {
    const response = this.raw;
    response.statusCode = status;
    if (body) {
      response.setHeader('Content-Length', body.length);
    } else {
      response.removeHeader('Content-Type');
      response.removeHeader('Content-Length');
    }
    response.end(this.request.method === 'HEAD' ? undefined : body);
  }

  /** The bytes of a body, with the content type that Express gives it. */
  #finalBody(body: unknown): Buffer | null | undefined {
    if (body === undefined || body === null) return null;
    if (ArrayBuffer.isView(body)) {
      if (this.header('Content-Type') === undefined)
        this.setHeader('Content-Type', 'application/octet-stream');
      return Buffer.from(body.buffer, body.byteOffset, body.byteLength);
    }
    if (typeof body !== 'string') return undefined;
    const type = this.header('Content-Type');
    this.setHeader('Content-Type', typeof type === 'string' ? withUtf8(type) : 'text/html; charset=utf-8');
    return Buffer.from(body);
  }
}

function isToBeSerialised(body: unknown): boolean {
  if (typeof body === 'object' && body !== null) return !ArrayBuffer.isView(body);
  return typeof body === 'number' || typeof body === 'boolean';
}

function withUtf8(type: string): string {
  const utf8 = '; charset=utf-8';
  return CHARSET.test(type) ? type.replace(CHARSET, utf8) : `${type}${utf8}`;
}
