import { ExpressExchange, type ExpressResponse } from './express-exchange.js';
import { FastifyExchange, type FastifyReply } from './fastify-exchange.js';
import type { HttpExchange, HttpRequest } from './http-exchange.js';

export type AnyResponse = ExpressResponse | FastifyReply;

/** The exchange of an HTTP request; undefined for another transport, and on an adapter that is neither Express nor Fastify. */
export function exchangeOf(request: HttpRequest, response: AnyResponse | null): HttpExchange | undefined {
  if (!response) return undefined;
  if (isFastify(response)) return new FastifyExchange(request, response);
  return isExpress(response) ? new ExpressExchange(request, response) : undefined;
}

function isFastify(response: AnyResponse): response is FastifyReply {
  return 'raw' in response && 'serializer' in response && typeof response.send === 'function';
}

function isExpress(response: AnyResponse): response is ExpressResponse {
  return 'json' in response && 'setHeader' in response && typeof response.send === 'function';
}
