import { Catch, Inject, Logger, ServiceUnavailableException, type ArgumentsHost } from '@nestjs/common';
import { BaseExceptionFilter, HttpAdapterHost } from '@nestjs/core';
import { toRedisError } from 'rednest';

/** Seconds after which a client may try again: about what a failover takes. */
const RETRY_AFTER = '2';

/**
 * Answers 503 with `Retry-After` when Redis failed in a way that may pass: it is away, failing over, or a transaction kept losing
 * against others. The caller learns nothing about the server. Whatever else goes wrong is handled as Nest always does.
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
    const error = toRedisError(exception);
    if (!error?.retryable) return super.catch(exception, host);
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
