import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import {
  Catch,
  Controller,
  Get,
  Injectable,
  SetMetadata,
  VersioningType,
  type CallHandler,
  type CanActivate,
  type ExceptionFilter,
  type ExecutionContext,
  type NestInterceptor,
  type OnModuleDestroy,
} from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR, Reflector } from '@nestjs/core';
import { HealthCheck, HealthCheckService, TerminusModule } from '@nestjs/terminus';
import { Event, EventBus, PubSubModule, RedisModule, Subscribe } from 'rednest';
import { RedisHealthIndicator } from 'rednest/health';
import { map, type Observable } from 'rxjs';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import { ADAPTERS, startHealth, stateOf } from './fixtures/health-application.js';

const opened = new Opened();

const IS_PUBLIC = 'is public';

@Injectable()
class OnlyPublic implements CanActivate {
  constructor(private readonly reflector: Reflector) {}

  canActivate(context: ExecutionContext): boolean {
    return Boolean(this.reflector.get(IS_PUBLIC, context.getClass()));
  }
}

class Enveloping implements NestInterceptor {
  intercept(_: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(map((data: unknown) => ({ data })));
  }
}

@Catch()
class CatchAll implements ExceptionFilter {
  catch(error: unknown): void {
    throw new Error('A probe is no exception', { cause: error });
  }
}

@Event('health.probed')
class Viewed {
  id!: number;
}

describe.each(ADAPTERS)('the probes on %s', (adapter) => {
  it('answer in the shape of terminus, and are not kept', async () => {
    const redis = (await opened.emptyServer()).options;
    const { get } = await startHealth(opened, {
      adapter,
      redis,
      configure: (app) => app.enableVersioning({ type: VersioningType.URI, defaultVersion: '1' }),
    });
    for (const probe of ['live', 'ready', 'startup']) {
      const { status, headers, body } = await get(`/health/${probe}`);
      expect(status).toBe(200);
      expect(headers.get('cache-control')).toBe('no-store');
      expect(headers.get('content-type')).toMatch(/^application\/json/);
      expect(body).toMatchObject({ status: 'ok', info: {}, error: {}, details: {} });
    }
    const { body } = await get('/health/ready');
    expect(body).toMatchObject({ info: { redis: { status: 'up' } }, details: { redis: { role: 'master' } } });
  });

  it('pass by what an application makes of its answers and errors, with a guard that lets them', async () => {
    const server = await opened.server({});
    const { get } = await startHealth(opened, {
      adapter,
      redis: { ...server.options, startup: 'optional' },
      health: { path: 'probes', required: ['default'], decorators: [SetMetadata(IS_PUBLIC, true)] },
      providers: [
        { provide: APP_GUARD, useClass: OnlyPublic },
        { provide: APP_INTERCEPTOR, useClass: Enveloping },
        { provide: APP_FILTER, useClass: CatchAll },
      ],
    });
    await eventually(async () => expect((await get('/probes/ready')).status).toBe(200));
    await server.kill();
    await eventually(async () => {
      expect(await get('/probes/ready')).toMatchObject({ status: 503, body: { status: 'error' } });
    });
    expect((await get('/probes/live')).body).toEqual({ status: 'ok', info: {}, error: {}, details: {} });
  });

  it('say that the application shuts down before anything is destroyed', async () => {
    const redis = (await opened.emptyServer()).options;
    const handled: number[] = [];
    @Injectable()
    class Handlers {
      @Subscribe(Viewed)
      handle({ id }: Viewed): void {
        handled.push(id);
      }
    }
    @Injectable()
    class Slow implements OnModuleDestroy {
      isDestroyed = false;

      async onModuleDestroy(): Promise<void> {
        this.isDestroyed = true;
        await sleep(300);
      }
    }
    const { app, ready, live } = await startHealth(opened, {
      adapter,
      redis,
      health: { shutdownDelay: '500ms' },
      imports: [PubSubModule.forRoot()],
      providers: [Slow, Handlers],
    });
    const [slow, bus] = [app.get(Slow), app.get(EventBus)];
    const since = performance.now();
    const closing = app.close();
    const isDestroyed = await eventually(async () => {
      expect(await ready()).toMatchObject({ status: 503, body: { status: 'shutting_down' } });
      return { value: slow.isDestroyed };
    });
    expect(isDestroyed.value).toBe(false);
    expect((await live()).status).toBe(200);
    await bus.publish(Viewed, { id: 1 });
    await eventually(() => expect(handled).toEqual([1]));
    await closing;
    expect(slow.isDestroyed).toBe(true);
    expect(performance.now() - since).toBeGreaterThanOrEqual(490);
  });
});

describe('the probes', () => {
  it('may be guarded', async () => {
    const redis = (await opened.emptyServer()).options;
    const { get } = await startHealth(opened, { redis, health: { guards: [OnlyPublic] } });
    expect((await get('/health/live')).status).toBe(403);
  });

  it('tell no more than status and code without details', async () => {
    const server = await opened.server({});
    const { ready } = await startHealth(opened, { redis: server.options, health: { details: false } });
    expect((await ready()).body.details).toEqual({ redis: { status: 'up' } });
    await server.kill();
    await eventually(async () => {
      const { body } = await ready();
      expect(body.details).toEqual({ redis: { status: 'down', code: 'REDIS_UNAVAILABLE' } });
    });
  });

  it('may be left to the application, with indicators of its own', async () => {
    const redis = (await opened.emptyServer()).options;
    @Controller('own')
    class OwnController {
      constructor(
        private readonly health: HealthCheckService,
        private readonly connections: RedisHealthIndicator,
      ) {}

      @Get()
      @HealthCheck()
      check() {
        return this.health.check([() => this.connections.check('main', { memory: false, timeout: '2s' })]);
      }
    }
    const { get } = await startHealth(opened, {
      redis,
      health: { path: false },
      imports: [TerminusModule],
      controllers: [OwnController],
    });
    const { status, body } = await get('/own');
    expect(status).toBe(200);
    expect(body.details['main']).toMatchObject({ status: 'up', role: 'master' });
    expect(body.details['main']).not.toHaveProperty('memory');
    expect((await get('/health/live')).status).toBe(404);
  });

  it('cost a handful of commands, however many come at once', async () => {
    const server = await opened.emptyServer();
    const { app, ready } = await startHealth(opened, { redis: server.options });
    const admin = await server.admin();
    await admin.config('RESETSTAT');
    const indicator = app.get(RedisHealthIndicator);
    const results = await Promise.all(Array.from({ length: 1_000 }, () => indicator.check('redis')));
    expect(results.filter(({ redis }) => redis.status === 'up')).toHaveLength(1_000);
    const answers = await Promise.all(Array.from({ length: 1_000 }, ready));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1_000);
    const stats = await admin.info('commandstats');
    for (const command of ['ping', 'info']) {
      const calls = new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(stats)?.[1];
      expect(Number(calls ?? 0)).toBeLessThan(10);
    }
  });

  it('tell of a connection that is not required as degraded', async () => {
    const [server, cache] = [await opened.emptyServer(), await opened.server({})];
    const { app, ready, log, get } = await startHealth(opened, {
      redis: server.options,
      imports: [RedisModule.forRoot({ ...cache.options, name: 'cache', startup: 'optional' })],
    });
    await eventually(async () => expect(stateOf((await ready()).body.details['redis:cache'])).toBe('up'));
    await cache.kill();
    await eventually(async () => {
      const { status, body } = await ready();
      expect(status).toBe(200);
      expect(stateOf(body.details['redis:cache'])).toBe('degraded');
      expect(body.details['redis:cache']).toMatchObject({ code: 'REDIS_UNAVAILABLE' });
    });
    expect(log.texts('RedisHealthModule')).toContainEqual(
      expect.stringMatching(/^Degraded, but ready: redis:cache REDIS_/),
    );
    const indicator = app.get(RedisHealthIndicator);
    const { sessions } = await indicator.check('sessions', { connection: 'cache' });
    expect(sessions).toEqual({ status: 'down', code: 'REDIS_UNAVAILABLE' });
    expect((await get('/health/startup')).status).toBe(200);
  });

  it('let an application start up without Redis, and say when it has', async () => {
    const server = await opened.server({});
    await server.kill();
    const { get } = await startHealth(opened, {
      redis: { ...server.options, startup: 'optional' },
      health: { required: ['default'] },
    });
    const before = await get('/health/startup');
    expect(before).toMatchObject({
      status: 503,
      body: { status: 'error', error: { redis: { status: 'down', code: 'REDIS_UNAVAILABLE' } } },
    });
    await server.restart();
    await eventually(async () => expect((await get('/health/startup')).status).toBe(200), 15_000);
    await server.kill();
    await eventually(async () => expect((await get('/health/ready')).status).toBe(503));
    expect((await get('/health/startup')).status).toBe(200);
  });
});
