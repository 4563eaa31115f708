import type { ExecutionContext } from '@nestjs/common';
import { ExpressExchange, type ExpressResponse } from './express-exchange.js';
import { FastifyExchange, type FastifyReply } from './fastify-exchange.js';
import type { HttpExchange, HttpRequest } from './http-exchange.js';

/** The exchange of an HTTP request; undefined on an adapter that is neither Express nor Fastify. */
export function exchangeOf(context: ExecutionContext): HttpExchange | undefined {
  const http = context.switchToHttp();
  const request = http.getRequest<HttpRequest>();
  const response = http.getResponse<ExpressResponse | FastifyReply>();
  if (isFastify(response)) return new FastifyExchange(request, response);
  return isExpress(response) ? new ExpressExchange(request, response) : undefined;
}

function isFastify(response: ExpressResponse | FastifyReply): response is FastifyReply {
  return 'raw' in response && 'serializer' in response && typeof response.send === 'function';
}

function isExpress(response: ExpressResponse | FastifyReply): response is ExpressResponse {
  return 'json' in response && 'setHeader' in response && typeof response.send === 'function';
}
