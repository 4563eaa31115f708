import { Catch, Inject, Logger, ServiceUnavailableException, type ArgumentsHost } from '@nestjs/common';
import { BaseExceptionFilter, HttpAdapterHost } from '@nestjs/core';
import { EventBusClosedError, EventUnavailableError, RedisOutOfMemoryError, toRedisError } from 'rednest';
import { SessionUnavailableError } from 'rednest/session';

/** Seconds after which a client may try again: about what a failover takes. */
const RETRY_AFTER = '2';

/**
 * Answers 503 with `Retry-After` when Redis failed in a way that may pass: it is away, failing over, full, or a transaction kept losing
 * against others; or when this replica shuts down. The caller learns nothing about the server. Whatever else goes wrong is handled as Nest always does.
 */
@Catch()
export class RedisErrorFilter extends BaseExceptionFilter {
  readonly #logger = new Logger(RedisErrorFilter.name);
  readonly #adapterHost: HttpAdapterHost;

  constructor(@Inject(HttpAdapterHost) adapterHost: HttpAdapterHost) {
    super(adapterHost.httpAdapter);
    this.#adapterHost = adapterHost;
  }

  override catch(exception: unknown, host: ArgumentsHost): void {
    const error = passingError(exception);
    if (!error) return super.catch(exception, host);
    const { httpAdapter } = this.#adapterHost;
    const http = host.switchToHttp();
    // At debug level: the connection itself tells once, in the log, that it is away. This would come with each request.
    this.#logger.debug(
      `${httpAdapter.getRequestUrl(http.getRequest())} was answered with 503: ${error.message}`,
    );
    httpAdapter.setHeader(http.getResponse(), 'Retry-After', RETRY_AFTER);
    super.catch(
      new ServiceUnavailableException('The data is not available at the moment, try again soon'),
      host,
    );
  }
}

/** The error, where it may be gone at the next try: with another replica, if this one shuts down; when somebody has made room, if the memory is full. */
function passingError(exception: unknown): Error | undefined {
  if (exception instanceof EventBusClosedError) return exception;
  const isTold = exception instanceof EventUnavailableError || exception instanceof SessionUnavailableError;
  const error = isTold ? exception.cause : toRedisError(exception);
  return error?.retryable || error instanceof RedisOutOfMemoryError ? error : undefined;
}
