import type { OutgoingHttpHeaders } from 'node:http';
import { isKnownToClient } from './conditional.js';
import type { HandlerPlan } from './handler-plan.js';
import type { HttpExchange, Verdict } from './http-exchange.js';
import { describeCaching, markCacheStatus } from './sent-headers.js';
import { entityTag, type StoredResponse } from './stored-response.js';
import { isForbidden, whatToStore, type Storable } from './storing-rules.js';

/** What became of the response that a request was to make. */
export type CaptureOutcome =
  | { readonly kind: 'stored'; readonly response: StoredResponse; readonly terms: Storable }
  /** It was, or will be, sent, and is for nobody else. */
  | { readonly kind: 'not stored' }
  /** The server failed. */
  | { readonly kind: 'failed'; readonly error: unknown }
  /** The client has gone away, and the handler was given up. */
  | { readonly kind: 'abandoned' };

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
  #handlerStatus: number | undefined;
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
  }

  /** What the handler has returned. */
  onValue(value: unknown): void {
    this.#handlerStatus = this.#exchange.status();
    if (isStreaming(value)) this.#giveUp();
  }

  /** The handler, or an interceptor within the cache, has failed: a filter will answer. */
  onError(error: unknown, isServerError: boolean): void {
    this.#end(isServerError ? { kind: 'failed', error } : { kind: 'not stored' });
  }

  /** Nothing more comes from the handler. */
  onHandlerOver(): void {
    this.#isHandlerOver = true;
    this.#abandonIfOver();
  }

  #onBody(body: Buffer | undefined): Verdict {
    if (this.#isSettled) return 'send';
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
    exchange.setHeader('ETag', etag);
    describeCaching(exchange, this.#plan, { age: 0, lifetime: terms.ttl ?? this.#plan.ttl });
    return status === 200 && isKnownToClient(exchange, etag) ? 'not modified' : 'send';
  }

  #endUnstored(status: number): void {
    if (status >= 500)
      return this.#end({ kind: 'failed', error: new Error(`The handler answered ${status}`) });
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
      const written = writeHead.apply(raw, rest);
      this.#onHeadersSent();
      return written;
    };
  }

  #onHeadersSent(): void {
    const exchange = this.#exchange;
    if (!this.#taken) return this.#endUnstored(exchange.status());
    const cookie = exchange.header('Set-Cookie');
    const cacheControl = exchange.header('Cache-Control');
    const isRefused = isForbidden({ cookie, cacheControl }, this.#plan);
    this.#end(isRefused ? { kind: 'not stored' } : this.#taken);
  }

  readonly #onClose = (): void => {
    this.#isClosed = true;
    // HTTP/2 has other ways to send headers.
    if (this.#exchange.raw.headersSent) this.#onHeadersSent();
    else this.#abandonIfOver();
  };

  /** A handler that goes on without its client still fills the cache; Nest ends those that return an Observable. */
  #abandonIfOver(): void {
    if (!this.#isClosed || !this.#isHandlerOver || this.#isSettled) return;
    setImmediate(() => this.#end({ kind: 'abandoned' }));
  }

  #end(outcome: CaptureOutcome): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#exchange.raw.removeListener('close', this.#onClose);
    this.#settle(outcome);
  }
}

/** Whether Nest sends this piece by piece: a StreamableFile, a stream, a web Response, an async iterable. */
function isStreaming(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const isWebResponse = Object.prototype.toString.call(value) === '[object Response]';
  return (
    isWebResponse ||
    'getStream' in value ||
    'pipe' in value ||
    'getReader' in value ||
    Symbol.asyncIterator in value
  );
}
