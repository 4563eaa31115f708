import {
  Inject,
  Injectable,
  Logger,
  Optional,
  StreamableFile,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import { HttpAdapterHost, Reflector } from '@nestjs/core';
import { of, tap, type Observable } from 'rxjs';
import { hasCredentials, type IdentifiedRequest } from '../http/credentials.js';
import { LimitedWarnings } from '../../logging/limited-warnings.js';
import { Cache } from './cache-manager.js';
import {
  CACHE_CREDENTIALS_METADATA,
  CACHE_KEY_METADATA,
  CACHE_MANAGER,
  CACHE_TTL_METADATA,
} from './migration.constants.js';
import type { CacheKeyFactory, CacheTTLFactory } from './migration.decorators.js';

type Key = string | undefined | null;

/**
 * Caches what handlers return, as the interceptor of that name in `@nestjs/cache-manager` 12 does: by URL, or by {@link CacheKey}, in
 * HTTP for GET. It may be extended in the same places.
 *
 * The one difference: the response to a request with credentials is not shared, unless {@link CacheCredentials} or the property
 * `credentials` of a class that extends this one allows it. New code is better served by {@link HttpCache}.
 */
@Injectable()
export class CacheInterceptor implements NestInterceptor {
  @Optional()
  @Inject(HttpAdapterHost)
  protected readonly httpAdapterHost!: HttpAdapterHost | undefined;

  /** Methods whose responses are cached where there is no {@link CacheKey}. */
  protected allowedMethods: string[] = ['GET'];

  /** For handlers and controllers without {@link CacheCredentials}. */
  protected credentials: 'bypass' | 'ignore' = 'bypass';

  readonly #logger = new Logger(CacheInterceptor.name);
  readonly #warnings = new LimitedWarnings((message) => this.#logger.warn(message));

  constructor(
    @Inject(CACHE_MANAGER) protected readonly cacheManager: Cache,
    @Inject(Reflector) protected readonly reflector: Reflector,
  ) {}

  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    const key = await this.trackBy(context);
    if (!key) return next.handle();
    const value = await this.#read(key);
    this.setHeadersWhenHttp(context, value);
    if (value !== undefined && value !== null) return of(value);
    const lifetime = await this.#ttlOf(context);
    if (!lifetime) return next.handle();
    return next.handle().pipe(tap((response) => void this.#store(key, response, lifetime.ttl)));
  }

  /** The key of a call, or nothing for one that is not cached. */
  protected trackBy(context: ExecutionContext): Key | Promise<Key> {
    const key = this.reflector.get<string | CacheKeyFactory | undefined>(
      CACHE_KEY_METADATA,
      context.getHandler(),
    );
    if (!this.#isHttp(context)) return typeof key === 'function' ? key(context) : key;
    if (!key && !this.isRequestCacheable(context)) return undefined;
    if (!this.isShareable(context)) {
      this.#setCacheHeader(context, 'BYPASS');
      return undefined;
    }
    if (typeof key === 'function') return key(context);
    return key ?? this.httpAdapterHost?.httpAdapter.getRequestUrl(context.switchToHttp().getRequest());
  }

  /** Whether the response to a request may be cached by its URL. */
  protected isRequestCacheable(context: ExecutionContext): boolean {
    const { method } = context.switchToHttp().getRequest<{ method: string }>();
    return this.allowedMethods.includes(method);
  }

  /** Whether others may be given what this request gets. */
  protected isShareable(context: ExecutionContext): boolean {
    const credentials = this.reflector.getAllAndOverride<'bypass' | 'ignore' | undefined>(
      CACHE_CREDENTIALS_METADATA,
      [context.getHandler(), context.getClass()],
    );
    if ((credentials ?? this.credentials) === 'ignore') return true;
    return !hasCredentials(context.switchToHttp().getRequest<IdentifiedRequest>());
  }

  /** Tells in `X-Cache` whether there was a value. */
  protected setHeadersWhenHttp(context: ExecutionContext, value: unknown): void {
    this.#setCacheHeader(context, value === undefined || value === null ? 'MISS' : 'HIT');
  }

  #setCacheHeader(context: ExecutionContext, status: 'HIT' | 'MISS' | 'BYPASS'): void {
    if (!this.#isHttp(context)) return;
    this.httpAdapterHost?.httpAdapter.setHeader(context.switchToHttp().getResponse(), 'X-Cache', status);
  }

  #isHttp(context: ExecutionContext): boolean {
    return context.getType() === 'http' && this.httpAdapterHost?.httpAdapter !== undefined;
  }

  async #read(key: string): Promise<unknown> {
    try {
      return await this.cacheManager.get(key);
    } catch (error) {
      this.#warnings.warn('read', `A value could not be read from the cache: ${String(error)}`);
      return undefined;
    }
  }

  /** Undefined where the application's function fails: the handler then runs as if there were no cache. */
  async #ttlOf(context: ExecutionContext): Promise<{ ttl: number | undefined } | undefined> {
    const ttl = this.reflector.getAllAndOverride<number | CacheTTLFactory | undefined>(CACHE_TTL_METADATA, [
      context.getHandler(),
      context.getClass(),
    ]);
    try {
      return { ttl: typeof ttl === 'function' ? await ttl(context) : ttl };
    } catch (error) {
      this.#warnings.warn('ttl', `@CacheTTL has failed, and nothing is cached: ${String(error)}`);
      return undefined;
    }
  }

  async #store(key: string, response: unknown, ttl: number | undefined): Promise<void> {
    if (response === undefined || response instanceof StreamableFile) return;
    try {
      await this.cacheManager.set(key, response, ttl ?? undefined);
    } catch (error) {
      this.#warnings.warn('store', `What a handler returned could not be cached: ${String(error)}`);
    }
  }
}
