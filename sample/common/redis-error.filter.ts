import {
  Catch,
  HttpException,
  HttpStatus,
  Inject,
  Logger,
  ServiceUnavailableException,
  type ArgumentsHost,
} from '@nestjs/common';
import { BaseExceptionFilter, HttpAdapterHost } from '@nestjs/core';
import { LockTimeoutError, LockUnavailableError, toRedisError } from 'rednest';

/** Seconds after which a client may try again: about what a failover takes. */
const RETRY_AFTER = 2;

interface ComeBack {
  readonly retryAfter: number;
  readonly exception: HttpException;
}

/**
 * Answers with `Retry-After` what may pass: 503 when Redis is away, failing over, or a transaction kept losing against others, and 423 when
 * others held a lock for too long. The caller learns nothing about the server. Whatever else goes wrong is handled as Nest always does.
 */
@Catch()
export class RedisErrorFilter extends BaseExceptionFilter {
  readonly #logger = new Logger(RedisErrorFilter.name);
  readonly #adapterHost: HttpAdapterHost;

  constructor(@Inject(HttpAdapterHost) adapterHost: HttpAdapterHost) {
    super(adapterHost.httpAdapter);
    this.#adapterHost = adapterHost;
  }

  override catch(error: unknown, host: ArgumentsHost): void {
    const comeBack = whatMayPass(error);
    if (!comeBack) return super.catch(error, host);
    const { retryAfter, exception } = comeBack;
    const { httpAdapter } = this.#adapterHost;
    const http = host.switchToHttp();
    // At debug level: the connection itself tells once, in the log, that it is away. This would come with each request.
    this.#logger.debug(
      `${httpAdapter.getRequestUrl(http.getRequest())} was answered with ${exception.getStatus()}: ${(error as Error).message}`,
    );
    httpAdapter.setHeader(http.getResponse(), 'Retry-After', String(retryAfter));
    super.catch(exception, host);
  }
}

function whatMayPass(error: unknown): ComeBack | undefined {
  if (error instanceof LockTimeoutError) {
    const body = {
      statusCode: HttpStatus.LOCKED,
      error: 'Locked',
      message: 'Others are at it, try again soon',
    };
    return { retryAfter: error.retryAfter, exception: new HttpException(body, HttpStatus.LOCKED) };
  }
  const failure = toRedisError(error instanceof LockUnavailableError ? error.cause : error);
  if (!failure?.retryable) return undefined;
  const message = 'The data is not available at the moment, try again soon';
  return { retryAfter: RETRY_AFTER, exception: new ServiceUnavailableException(message) };
}
