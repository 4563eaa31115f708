import { STATUS_CODES } from 'node:http';
import { Catch, HttpException, type ArgumentsHost } from '@nestjs/common';
import { BaseExceptionFilter } from '@nestjs/core';
import { LockCancelledError, LockTimeoutError, LockUnavailableError } from '../lock-errors.js';
import { logger } from '../lock-logger.js';

type Refusal = LockTimeoutError | LockUnavailableError | LockCancelledError;

/**
 * Answers a client whose request did not get its lock: 423 Locked (or 409, as `@Locked` says) where others held it, 503 where Redis was
 * away or the application shuts down; with `Retry-After` in seconds, and a body as that of Nest's own errors. It does not tell the name of
 * the resource, nor what is wrong with Redis: that goes to the log, as a line of debug level.
 *
 * `LockModule` registers it for the whole application. Filters of handlers and controllers come before it, those of `useGlobalFilters`, and
 * `APP_FILTER` in modules that are imported after `LockModule`; `APP_FILTER` among the providers of the root module comes after it, even where
 * it catches everything: `exceptionFilter: false` of `LockModule.forRoot` leaves such an error to it. Where the filter of an application
 * leaves the answer to Nest, by `super.catch`, or there is none, Nest answers with the status of the error, without `Retry-After`.
 *
 * Errors of messages (RPC) and GraphQL are passed on. Gateways have no global filters.
 */
@Catch(LockTimeoutError, LockUnavailableError, LockCancelledError)
export class LockExceptionFilter extends BaseExceptionFilter {
  override catch(error: Refusal, host: ArgumentsHost): void {
    // What a filter of such a context does not answer, Nest handles as if there was none.
    if (host.getType<string>() !== 'http') return;
    // The connection says once that Redis is away, not for each request.
    if (error instanceof LockUnavailableError) logger.debug(error.message);
    const { statusCode, retryAfter } = error;
    const adapter = this.applicationRef ?? this.httpAdapterHost?.httpAdapter;
    const response: unknown = host.getArgByIndex(1);
    if (adapter && !adapter.isHeadersSent(response))
      adapter.setHeader(response, 'Retry-After', String(retryAfter));
    const body = HttpException.createBody(messageOf(error), STATUS_CODES[statusCode] ?? '', statusCode);
    super.catch(new HttpException(body, statusCode, { cause: error }), host);
  }
}

function messageOf(error: Refusal): string {
  const again = `try again in ${error.retryAfter} s`;
  if (error instanceof LockTimeoutError) return `Locked by another request, ${again}`;
  return `The lock could not be acquired, ${again}`;
}
