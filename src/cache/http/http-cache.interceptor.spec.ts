import 'reflect-metadata';
import { describe, expect, it } from '@jest/globals';
import type { ModuleRef } from '@nestjs/core';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
import { lastValueFrom, of } from 'rxjs';
import type { CacheService } from '../cache.service.js';
import { HttpCache } from './http-cache.decorator.js';
import { HttpCacheInterceptor } from './http-cache.interceptor.js';

class Resolver {
  @HttpCache()
  find(this: void): string {
    return 'found';
  }
}

describe('HttpCacheInterceptor', () => {
  it.each(['graphql', 'rpc', 'ws'])('lets %s pass', async (type) => {
    // Neither is asked for anything.
    const interceptor = new HttpCacheInterceptor({} as CacheService, {} as ModuleRef);
    const context = new ExecutionContextHost([], Resolver, Resolver.prototype.find);
    context.setType(type);
    const result = await interceptor.intercept(context, { handle: () => of('found') });
    expect(await lastValueFrom(result)).toBe('found');
  });
});
