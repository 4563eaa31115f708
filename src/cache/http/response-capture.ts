import type { OutgoingHttpHeaders } from 'node:http';
import { isKnownToClient } from './conditional.js';
import type { HandlerPlan } from './handler-plan.js';
import { hasMethod } from './has-method.js';
import type { HttpExchange, Verdict } from './http-exchange.js';
import { describeCaching, markCacheStatus } from './sent-headers.js';
import { entityTag, type StoredResponse } from './stored-response.js';
import { isForbidden, whatToStore, type Storable } from './storing-rules.js';

/** What became of the response that a request was to make. */
export type CaptureOutcome =
  | { readonly kind: 'stored'; readonly response: StoredResponse; readonly terms: Storable }
  /** It was, or will be, sent, and is for nobody else. */
  | { readonly kind: 'not stored' }
  /** The handler has thrown what says that the server failed. */
  | { readonly kind: 'thrown'; readonly error: unknown }
  /** The handler has sent an answer that says so. */
  | { readonly kind: 'failed'; readonly status: number }
  /** The client has gone away, and the handler was given up. */
  | { readonly kind: 'abandoned' };

/**
 * How long, in milliseconds, a handler may go on for a client who has gone, while others wait for it: one that hangs never ends, and its
 * client's going is all that is heard of it.
 */
const GRACE = 1_000;

/**
 * Watches a request make its response, from before its handler runs until the headers are out, and takes what can be stored. It always comes
 * to an end, however the response is sent, or is not.
 */
export class ResponseCapture {
  readonly outcome: Promise<CaptureOutcome>;
  readonly #exchange: HttpExchange;
  readonly #plan: HandlerPlan;
  readonly #headersBefore: OutgoingHttpHeaders;
  #settle!: (outcome: CaptureOutcome) => void;
  #isSettled = false;
  #isHandlerOver = false;
  #isClosed: boolean;
  #grace: NodeJS.Timeout | undefined;
  #handlerStatus: number | undefined;
  /** Whether the handler has returned null. */
  #isNull = false;
  /** Taken, and stored when the headers that are sent do not forbid it. */
  #taken: CaptureOutcome | undefined;

  constructor(exchange: HttpExchange, plan: HandlerPlan) {
    this.#exchange = exchange;
    this.#plan = plan;
    this.#headersBefore = exchange.headers();
    this.#isClosed = exchange.raw.destroyed;
    this.outcome = new Promise((resolve) => (this.#settle = resolve));
    exchange.capture((body) => this.#onBody(body));
    this.#watchHeaders();
    exchange.raw.once('close', this.#onClose);
    if (this.#isClosed) this.#abandonLater();
  }

  /** What the handler has returned. */
  onValue(value: unknown): void {
    this.#handlerStatus = this.#exchange.status();
    this.#isNull = value === null;
    if (isStreaming(value)) this.#giveUp();
  }

  /** The handler, or an interceptor within the cache, has failed: a filter will answer. */
  onError(error: unknown, isServerError: boolean): void {
    const { raw } = this.#exchange;
    // What fails because its client went away is no answer to others.
    if ((this.#isClosed || raw.destroyed) && !raw.headersSent) this.#end({ kind: 'abandoned' });
    else this.#end(isServerError ? { kind: 'thrown', error } : { kind: 'not stored' });
  }

  /** Nothing more comes from the handler. */
  onHandlerOver(): void {
    this.#isHandlerOver = true;
    this.#abandonIfOver();
  }

  #onBody(sent: Buffer | null | undefined): Verdict {
    if (this.#isSettled) return 'send';
    // Who returns undefined may have answered by other ways.
    const body = sent ?? (sent === null && this.#isNull ? Buffer.alloc(0) : undefined);
    const exchange = this.#exchange;
    const status = exchange.status();
    const headers = exchange.headers();
    const handlerStatus = this.#handlerStatus;
    const terms =
      body && whatToStore({ status, handlerStatus, headers, before: this.#headersBefore, body }, this.#plan);
    if (!terms) {
      this.#endUnstored(status);
      return 'send';
    }
    const etag = typeof headers['etag'] === 'string' ? headers['etag'] : entityTag(body);
    const { vary, headers: stored } = terms;
    this.#taken = { kind: 'stored', terms, response: { v: 1, status, headers: stored, etag, vary, body } };
    exchange.setHeader('etag', etag);
    describeCaching(exchange, this.#plan, { age: 0, lifetime: terms.ttl ?? this.#plan.ttl });
    return status === 200 && isKnownToClient(exchange, etag) ? 'not modified' : 'send';
  }

  #endUnstored(status: number): void {
    if (status >= 500) return this.#end({ kind: 'failed', status });
    this.#giveUp();
  }

  #giveUp(): void {
    if (!this.#exchange.raw.headersSent && !this.#isSettled) markCacheStatus(this.#exchange, 'BYPASS');
    this.#end({ kind: 'not stored' });
  }

  /** The last moment to see what middleware and hooks add; and how to learn of what is sent by other ways than Nest's. */
  #watchHeaders(): void {
    const { raw } = this.#exchange;
    // oxlint-disable-next-line typescript/unbound-method -- is called with the response as `this`
    const writeHead = raw.writeHead as (...rest: unknown[]) => typeof raw;
    raw.writeHead = (...rest: unknown[]) => {
      this.#markUnseen(rest);
      const written = writeHead.apply(raw, rest);
      this.#onHeadersSent();
      return written;
    };
  }

  /** Who writes by other ways than Nest's shows no body that could be stored. */
  #markUnseen([status]: readonly unknown[]): void {
    if (this.#taken || this.#isSettled || this.#exchange.raw.headersSent) return;
    if (Number(status) < 500) markCacheStatus(this.#exchange, 'BYPASS');
  }

  #onHeadersSent(): void {
    const exchange = this.#exchange;
    if (!this.#taken) return this.#endUnstored(exchange.status());
    const cookie = exchange.header('set-cookie');
    const cacheControl = exchange.header('cache-control');
    const isRefused = isForbidden({ cookie, cacheControl }, this.#plan);
    this.#end(isRefused ? { kind: 'not stored' } : this.#taken);
  }

  readonly #onClose = (): void => {
    this.#isClosed = true;
    // HTTP/2 has other ways to send headers.
    if (this.#exchange.raw.headersSent) this.#onHeadersSent();
    else if (this.#isHandlerOver) this.#abandonIfOver();
    else this.#abandonLater();
  };

  #abandonLater(): void {
    this.#grace = setTimeout(() => this.#end({ kind: 'abandoned' }), GRACE).unref();
  }

  /** A handler that goes on without its client still fills the cache; Nest ends those that return an Observable. */
  #abandonIfOver(): void {
    if (!this.#isClosed || !this.#isHandlerOver || this.#isSettled) return;
    setImmediate(() => this.#end({ kind: 'abandoned' }));
  }

  #end(outcome: CaptureOutcome): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    clearTimeout(this.#grace);
    this.#exchange.raw.removeListener('close', this.#onClose);
    this.#settle(outcome);
  }
}

/** Whether Nest sends this piece by piece: a StreamableFile, a stream, a web Response, an async iterable. */
function isStreaming(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const isWebResponse = Object.prototype.toString.call(value) === '[object Response]';
  return isWebResponse || hasMethod(value, 'getStream', 'pipe', 'getReader', Symbol.asyncIterator);
}
