import { describe, expect, it } from '@jest/globals';
import {
  Controller,
  Get,
  Injectable,
  Param,
  ParseIntPipe,
  Res,
  Scope,
  UseGuards,
  UseInterceptors,
  type CallHandler,
  type CanActivate,
  type ExecutionContext,
  type NestInterceptor,
  type PipeTransform,
} from '@nestjs/common';
import { map, type Observable } from 'rxjs';
import { CacheModule, HttpCache, HttpCacheInterceptor } from 'rednest';
import { Opened } from '../support/opened.js';
import { ADAPTERS, Calls, startHttp, type Adapter } from './fixtures/http-application.js';

const opened = new Opened();

@Injectable()
class AllowedGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    return context.switchToHttp().getRequest<{ headers: object }>().headers['x-allowed' as never] === 'yes';
  }
}

/** Fails on a hit, where there is no value. */
@Injectable()
class NameInterceptor implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(map((data: { name: string }) => data.name));
  }
}

@Injectable()
class CountingPipe implements PipeTransform {
  constructor(private readonly calls: Calls) {}

  transform(value: unknown): unknown {
    this.calls.next('pipe');
    return value;
  }
}

/** Of an application: it knows nothing of arguments beside the handler's own. */
function logged(_target: object, _name: string, descriptor: PropertyDescriptor): void {
  const method = descriptor.value as (this: unknown, id: unknown) => unknown;
  const wrapper = function (this: unknown, id: unknown): unknown {
    return method.call(this, id);
  };
  for (const key of Reflect.getOwnMetadataKeys(method) as unknown[])
    Reflect.defineMetadata(key, Reflect.getOwnMetadata(key, method), wrapper);
  descriptor.value = wrapper;
}

@Controller('direct')
class DirectController {
  constructor(protected readonly calls: Calls) {}

  @Get('guarded/:id')
  @UseGuards(AllowedGuard)
  @HttpCache()
  guarded(@Param('id', ParseIntPipe) id: number): object {
    return { id, call: this.calls.next() };
  }

  @Get('guarded-below')
  @HttpCache()
  @UseGuards(AllowedGuard)
  guardedBelow(): object {
    return { call: this.calls.next() };
  }

  @Get('within')
  @UseInterceptors(NameInterceptor)
  @HttpCache()
  within(): object {
    return { name: `name ${this.calls.next()}` };
  }

  @Get('around')
  @HttpCache()
  @UseInterceptors(NameInterceptor)
  around(): object {
    return { name: `name ${this.calls.next()}` };
  }

  @Get('piped/:id')
  @HttpCache()
  piped(@Param('id', CountingPipe) id: string): object {
    return { id, call: this.calls.next() };
  }

  @Get('logged/:id')
  @logged
  @HttpCache()
  logged(@Param('id') id: string): object {
    return { id, call: this.calls.next() };
  }

  @Get('twice')
  @HttpCache()
  @HttpCache()
  twice(...rest: unknown[]): object {
    return { rest: rest.length, call: this.calls.next() };
  }

  @Get('rest')
  @HttpCache()
  rest(...rest: unknown[]): object {
    return { rest: rest.length, call: this.calls.next() };
  }

  @Get('called/:id')
  called(@Param('id', ParseIntPipe) id: number): object {
    return this.guarded(id);
  }

  @Get('own')
  @HttpCache()
  own(@Res() response: { send(body: unknown): void }): void {
    response.send({ call: this.calls.next() });
  }
}

@Controller('inherited')
class InheritedController extends DirectController {
  @Get('own')
  @HttpCache()
  override own(@Res() response: { send(body: unknown): void }): void {
    super.own(response);
  }
}

@Controller({ path: 'scoped', scope: Scope.REQUEST })
class ScopedController extends DirectController {}

@Controller('pages')
class PagesController {
  constructor(private readonly calls: Calls) {}

  @Get()
  @HttpCache({ cache: 'pages' })
  page(): object {
    return { call: this.calls.next() };
  }
}

const CONTROLLERS = [DirectController, InheritedController, ScopedController, PagesController];

const start = (adapter: Adapter) =>
  startHttp(opened, {
    adapter,
    controllers: CONTROLLERS,
    imports: [CacheModule.forFeature({ name: 'pages' })],
  });

const interceptorsOf = (name: keyof DirectController): unknown =>
  Reflect.getMetadata('__interceptors__', DirectController.prototype[name]);

describe.each(ADAPTERS)('a cache right before its handler on %s', (adapter) => {
  it('is asked after guards, wherever they are listed', async () => {
    const { get, calls } = await start(adapter);
    const allowed = { 'X-Allowed': 'yes' };
    for (const path of ['/direct/guarded/1', '/direct/guarded-below', '/scoped/guarded/1']) {
      expect((await get(path, allowed)).cache).toBe('MISS');
      expect((await get(path, allowed)).cache).toBe('HIT');
      expect(await get(path)).toMatchObject({ status: 403, cache: undefined });
    }
    expect(calls.of()).toBe(3);
    expect([interceptorsOf('guarded'), interceptorsOf('guardedBelow')]).toEqual([[], []]);
  });

  it('leaves interceptors where they stand', async () => {
    const { get } = await start(adapter);
    expect((await get('/direct/within')).body).toBe('name 1');
    expect(await get('/direct/within')).toMatchObject({ status: 200, cache: 'HIT', body: 'name 1' });
    expect(interceptorsOf('within')).toEqual([HttpCacheInterceptor, NameInterceptor]);
    expect((await get('/direct/around')).body).toBe('name 2');
    expect((await get('/direct/around')).status).toBe(500);
    expect(interceptorsOf('around')).toEqual([NameInterceptor]);
  });

  it('spares pipes that may do much', async () => {
    const { get, calls } = await start(adapter);
    for (const cache of ['MISS', 'HIT', 'HIT']) expect((await get('/direct/piped/1')).cache).toBe(cache);
    expect(calls.of('pipe')).toBe(1);
    expect((await get('/direct/guarded/x', { 'X-Allowed': 'yes' })).status).toBe(400);
  });

  it.each([
    'direct/logged/1',
    'direct/twice',
    'direct/rest',
    'direct/own',
    'inherited/own',
    'inherited/rest',
    'scoped/rest',
    'pages',
  ])('works beside whatever else is on the handler: %s', async (path) => {
    const { get } = await start(adapter);
    const miss = await get(`/${path}`);
    expect(miss).toMatchObject({ status: 200, cache: 'MISS' });
    if (/rest|twice/.test(path)) expect(miss.body).toContain('"rest":0');
    expect(await get(`/${path}`)).toMatchObject({ status: 200, cache: 'HIT', body: miss.body });
  });

  it('does not stand in the way of those who call the method', async () => {
    const { get, calls } = await start(adapter);
    for (const call of [1, 2])
      expect(await get('/direct/called/7')).toMatchObject({
        cache: undefined,
        body: `{"id":7,"call":${call}}`,
      });
    expect(new DirectController(calls).guarded(8)).toEqual({ id: 8, call: 3 });
  });
});
