import 'reflect-metadata';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  Body,
  Controller,
  Get,
  Header,
  HttpCode,
  Inject,
  Injectable,
  Module,
  Param,
  ParseIntPipe,
  Post,
  Scope,
  SetMetadata,
  UseGuards,
  type CanActivate,
  type ExecutionContext,
  type INestApplication,
  type ModuleMetadata,
} from '@nestjs/common';
import { ModuleRef, Reflector } from '@nestjs/core';
import { ApiOperation, DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { Test } from '@nestjs/testing';
import { Cacheable, CacheEvict, CacheModule, CacheService, InjectCache } from 'rednest';

const applications: INestApplication[] = [];

afterEach(async () => {
  await Promise.all(applications.splice(0).map((app) => app.close()));
});

/** An application that caches in the process: what is decorated is the same with Redis behind it. */
async function start({ imports = [], ...metadata }: ModuleMetadata): Promise<INestApplication> {
  const cache = [CacheModule.forRoot({ namespace: 'app' }), CacheModule.forFeature({ name: 'pages' })];
  const testing = await Test.createTestingModule({ imports: [...cache, ...imports], ...metadata }).compile();
  const app = testing.createNestApplication({ logger: false });
  applications.push(app);
  return app.init();
}

let runs = 0;

describe('a decorated provider', () => {
  @Injectable()
  class Singleton {
    @Cacheable({ key: (id) => `a:${id}` })
    async find(_id: number): Promise<number> {
      return ++runs;
    }
  }

  @Injectable({ scope: Scope.REQUEST })
  class RequestScoped extends Singleton {}

  @Injectable({ scope: Scope.TRANSIENT })
  class Transient {
    constructor(readonly reflector: Reflector) {}

    @Cacheable({ key: (id) => `a:${id}` })
    async find(_id: number): Promise<number> {
      return ++runs;
    }
  }

  it.each([Singleton, RequestScoped, Transient])('is injected as %p', async (type) => {
    const app = await start({ providers: [type] });
    const make = () => (type === Singleton ? app.get(type) : app.resolve(type));
    const [one, two] = [await make(), await make()];
    expect(one === two).toBe(type === Singleton);
    expect(await one.find(1)).toBe(await two.find(1));
    expect(await one.find(2)).not.toBe(await one.find(1));
  });

  it('is injected by ModuleRef.create', async () => {
    const app = await start({});
    const created = await app.get(ModuleRef).create(Singleton);
    expect(await created.find(1)).toBe(await created.find(1));
  });

  it('shows nothing of the cache', async () => {
    const app = await start({ providers: [Singleton] });
    const provider = app.get(Singleton);
    expect(provider).toEqual(new Singleton());
    expect(Reflect.ownKeys(Object.assign({}, provider))).toEqual([]);
    expect(JSON.stringify(provider)).toBe('{}');
  });

  it('may have caches of its own beside', async () => {
    @Injectable()
    class Mixed {
      @InjectCache('pages') readonly pages!: CacheService;
      constructor(@Inject(CacheService) readonly cache: CacheService) {}

      @Cacheable({ key: () => 'a' })
      async inDefault(): Promise<string> {
        return 'default';
      }

      @Cacheable({ key: () => 'a', cache: 'pages' })
      async inPages(): Promise<string> {
        return 'pages';
      }

      @CacheEvict({ key: () => 'a' })
      @CacheEvict({ key: () => 'a', cache: 'pages' })
      async evict(): Promise<void> {}
    }
    const app = await start({ providers: [Mixed] });
    const mixed = app.get(Mixed);
    expect([await mixed.inDefault(), await mixed.inPages()]).toEqual(['default', 'pages']);
    expect([await mixed.cache.get('a'), await mixed.pages.get('a')]).toEqual(['default', 'pages']);
    await mixed.evict();
    expect([await mixed.cache.get('a'), await mixed.pages.get('a')]).toEqual([undefined, undefined]);
  });

  it('keeps the start from succeeding without CacheModule', async () => {
    const starting = Test.createTestingModule({ providers: [Singleton] }).compile();
    await expect(starting).rejects.toThrow(/dependencies of the Singleton.*CacheService/s);
    @Injectable()
    class Named {
      @Cacheable({ key: () => 'a', cache: 'nowhere' })
      async find(): Promise<number> {
        return 1;
      }
    }
    await expect(start({ providers: [Named] })).rejects.toThrow(/rednest:cache:nowhere/);
  });
});

describe('inheritance', () => {
  abstract class Repository<T> {
    readonly loaded: number[] = [];

    @Cacheable({ key: (id: number) => `item:${id}` })
    async find(id: number): Promise<T> {
      this.loaded.push(id);
      return this.load(id);
    }

    @Cacheable({ key: (id: number) => `name:${id}` })
    async name(id: number): Promise<string> {
      this.loaded.push(id);
      return `base ${id}`;
    }

    protected abstract load(id: number): T;
  }

  @Injectable()
  class Cities extends Repository<{ city: number }> {
    constructor(readonly reflector: Reflector) {
      super();
    }

    protected override load(id: number) {
      return { city: id };
    }
  }

  @Injectable()
  class Overriding extends Cities {
    @InjectCache('pages') readonly pages!: CacheService;

    override async name(id: number): Promise<string> {
      return `over ${await super.name(id)}`;
    }
  }

  @Injectable()
  class Redecorated extends Cities {
    @Cacheable({ key: (id) => `long:${id}`, cache: 'pages' })
    override async name(id: number): Promise<string> {
      return `over ${await super.name(id)}`;
    }
  }

  @Injectable()
  class SameKey extends Cities {
    @Cacheable({ key: (id) => `name:${id}` })
    override async name(id: number): Promise<string> {
      return `over ${await super.name(id)}`;
    }
  }

  it('of a method from an abstract generic base', async () => {
    const app = await start({ providers: [Cities] });
    const cities = app.get(Cities);
    expect([await cities.find(1), await cities.find(1)]).toEqual([{ city: 1 }, { city: 1 }]);
    expect(cities.loaded).toEqual([1]);
  });

  it('by an override without a decorator, which calls super', async () => {
    const app = await start({ providers: [Overriding] });
    const cities = app.get(Overriding);
    expect([await cities.name(1), await cities.name(1)]).toEqual(['over base 1', 'over base 1']);
    expect(cities.loaded).toEqual([1]);
    expect(cities.pages.name).toBe('pages');
  });

  it('by an override with a decorator, which calls super', async () => {
    const app = await start({ providers: [Redecorated, Cities] });
    const cities = app.get(Redecorated);
    expect([await cities.name(1), await cities.name(1)]).toEqual(['over base 1', 'over base 1']);
    expect(await app.get(Cities).name(1)).toBe('base 1');
    expect(cities.loaded).toEqual([1]);
  });

  it('by an override with a decorator and the same key, which calls super', async () => {
    const app = await start({ providers: [SameKey] });
    const cities = app.get(SameKey);
    expect([await cities.name(1), await cities.name(1)]).toEqual(['over base 1', 'over base 1']);
    expect(cities.loaded).toEqual([1]);
  });

  it('by a subclass in another module', async () => {
    @Module({ providers: [Cities], exports: [Cities] })
    class Base {}
    @Module({ providers: [Redecorated], imports: [CacheModule.forFeature({ name: 'pages' })] })
    class Other {}
    const testing = await Test.createTestingModule({
      imports: [CacheModule.forRoot({ namespace: 'app' }), Base, Other],
    }).compile();
    const app = await testing.createNestApplication({ logger: false }).init();
    applications.push(app);
    expect(await app.get(Redecorated, { strict: false }).name(1)).toBe('over base 1');
    expect(await app.get(Cities, { strict: false }).find(1)).toEqual({ city: 1 });
  });
});

describe('a decorated controller', () => {
  const Role = (role: string) => SetMetadata('role', role);

  @Injectable()
  class RoleGuard implements CanActivate {
    canActivate(context: ExecutionContext): boolean {
      return new Reflector().get<string>('role', context.getHandler()) === 'reader';
    }
  }

  @Controller('cities')
  class CitiesController {
    @Get('above/:id')
    @HttpCode(203)
    @Header('X-City', 'yes')
    @ApiOperation({ summary: 'above' })
    @Cacheable({ key: (id) => `above:${id.toFixed()}` })
    async above(@Param('id', ParseIntPipe) id: number): Promise<object> {
      return { id, run: ++runs };
    }

    @Cacheable({ key: (id) => `below:${id.toFixed()}` })
    @Get('below/:id')
    @HttpCode(203)
    @Header('X-City', 'yes')
    @ApiOperation({ summary: 'below' })
    async below(@Param('id', ParseIntPipe) id: number): Promise<object> {
      return { id, run: ++runs };
    }

    @Cacheable({ key: () => 'allowed' })
    @UseGuards(RoleGuard)
    @Role('reader')
    @Get('allowed')
    async allowed(): Promise<object> {
      return {};
    }

    @Cacheable({ key: () => 'forbidden' })
    @UseGuards(RoleGuard)
    @Role('nobody')
    @Get('forbidden')
    async forbidden(): Promise<object> {
      return {};
    }

    @CacheEvict({ tags: ({ id }) => [`city:${id}`], key: ({ id }) => `above:${id}` })
    @Post()
    async update(@Body() city: { id: number }): Promise<object> {
      return city;
    }
  }

  @Controller({ path: 'scoped', scope: Scope.REQUEST })
  class ScopedController {
    @Cacheable({ key: (id) => `scoped:${id}` })
    @Get(':id')
    async find(@Param('id') id: string): Promise<object> {
      return { id, run: ++runs };
    }
  }

  async function serve(): Promise<{ app: INestApplication; url: string }> {
    const app = await start({ controllers: [CitiesController, ScopedController] });
    await app.listen(0, '127.0.0.1');
    return { app, url: await app.getUrl() };
  }

  it.each(['above', 'below'])('is a route, with @Get %s', async (name) => {
    const { url } = await serve();
    const responses = [await fetch(`${url}/cities/${name}/1`), await fetch(`${url}/cities/${name}/1`)];
    const [first, second] = await Promise.all(responses.map((response) => response.json()));
    expect(first).toMatchObject({ id: 1 });
    expect(second).toEqual(first);
    for (const response of responses) {
      expect(response.status).toBe(203);
      expect(response.headers.get('x-city')).toBe('yes');
    }
    expect((await fetch(`${url}/cities/${name}/x`)).status).toBe(400);
  });

  it('evicts', async () => {
    const { url } = await serve();
    const read = async () => (await fetch(`${url}/cities/above/7`)).text();
    const before = await read();
    const headers = { 'Content-Type': 'application/json' };
    const posted = await fetch(`${url}/cities`, { method: 'POST', headers, body: '{"id":7}' });
    expect(posted.status).toBe(201);
    expect(await read()).not.toBe(before);
  });

  it('keeps its guards and their metadata', async () => {
    const { url } = await serve();
    expect((await fetch(`${url}/cities/allowed`)).status).toBe(200);
    expect((await fetch(`${url}/cities/forbidden`)).status).toBe(403);
  });

  it('works for each request', async () => {
    const { url } = await serve();
    const [first, second] = [await fetch(`${url}/scoped/1`), await fetch(`${url}/scoped/1`)];
    expect(await second.text()).toBe(await first.text());
  });

  it('is documented', async () => {
    const { app } = await serve();
    const { paths } = SwaggerModule.createDocument(app, new DocumentBuilder().build());
    for (const name of ['above', 'below']) {
      expect(paths[`/cities/${name}/{id}`]?.get).toMatchObject({
        summary: name,
        operationId: `CitiesController_${name}`,
        parameters: [{ name: 'id', in: 'path' }],
      });
    }
  });

  it('keeps the name and the parameters of its method', () => {
    const { value } = Object.getOwnPropertyDescriptor(CitiesController.prototype, 'above')!;
    expect([value.name, value.length]).toEqual(['above', 1]);
  });
});
