import type { OutgoingHttpHeader, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { HttpCacheRequest } from './http-cache-options.js';
import type { Replacement } from './replacement.js';

/** A request as a framework gives it, with what it has beside what is shown to users. */
export interface HttpRequest extends HttpCacheRequest {
  /** Express: the URL before a router or middleware cut it. */
  readonly originalUrl?: string;
  readonly user?: unknown;
  /** Express: what the request has matched, below `baseUrl`. */
  readonly route?: { readonly path?: string | RegExp };
  readonly baseUrl?: string;
  /** Fastify: the same. */
  readonly routeOptions?: { readonly url?: string | undefined };
}

/** What the cache makes of a body before it is sent. */
export type Verdict = 'send' | 'not modified';

export type OnBody = (body: Buffer | null | undefined) => Verdict;

/** How Nest answers a handler: by what it returns, or by a page made of that (`@Render`). */
export type ReplyWay = 'send' | 'render';

/**
 * A request and its response, whatever the framework: how to see the bytes that Nest is about to send, and how to have others sent in their
 * place, at the moment when Nest sends.
 */
export interface HttpExchange {
  readonly request: HttpRequest;
  readonly raw: ServerResponse;
  /** Whether the application has a say between {@link send} and the writing of the headers: hooks of Fastify. */
  readonly hasHooks: boolean;
  status(): number;
  header(name: string): OutgoingHttpHeader | undefined;
  /** A copy of all headers, by lower-case name. */
  headers(): OutgoingHttpHeaders;
  setHeader(name: string, value: string | readonly string[]): void;

  /**
   * Shows the bytes of the body, once, when its headers are complete and before anything is sent; null for an answer without a body, undefined
   * for one that cannot be known in advance.
   */
  capture(onBody: OnBody): void;

  /** Has `write` run in the place of what Nest sends next, in the way that it answers the handler, unless that is an error. */
  replace(write: () => void, way: ReplyWay): Replacement;

  /** Sends these bytes, or none. Headers have been set. */
  send(status: number, body: Buffer | undefined): void;
}
