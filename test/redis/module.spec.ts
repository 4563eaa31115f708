import { afterEach, describe, expect, it } from '@jest/globals';
import {
  Global,
  Inject,
  Injectable,
  Module,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common';
import { ConfigModule, ConfigService } from '@nestjs/config';
import { Test } from '@nestjs/testing';
import {
  getRedisConnectionToken,
  getRedisToken,
  InjectRedis,
  InjectRedisConnection,
  RedisConfigurationError,
  RedisConnection,
  RedisModule,
  RedisUnavailableError,
  type RedisClient,
  type RedisOptions,
} from 'rednest';
import { FaultProxy, type RedisServer } from 'rednest/testing';
import { eventually } from '../support/eventually.js';
import { startApplication, startGuardedRedis } from '../support/redis-application.js';

const open: { close(): Promise<unknown> }[] = [];
const servers: { stop(): Promise<unknown> }[] = [];

async function startServer(): Promise<RedisServer> {
  const server = await startGuardedRedis();
  servers.push(server);
  return server;
}

async function start(...parameters: Parameters<typeof startApplication>) {
  const started = await startApplication(...parameters);
  open.push(started.app);
  return started;
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((app) => app.close()));
  await Promise.all(servers.splice(0).map((server) => server.stop()));
});

@Injectable()
class Visits {
  constructor(
    @InjectRedis() readonly redis: RedisClient,
    @InjectRedisConnection() readonly connection: RedisConnection,
  ) {}
}

describe('RedisModule.forRoot', () => {
  it('gives the client and the connection to a provider', async () => {
    const server = await startServer();
    const { app, log } = await start([RedisModule.forRoot(server.options)], [Visits]);
    const { redis, connection } = app.get(Visits);
    await redis.set('app:a', '1');
    expect(await redis.get('app:a')).toBe('1');
    expect(connection.client).toBe(redis);
    expect(connection).toMatchObject({ name: 'default', topology: 'standalone', state: 'ready' });
    expect(log.texts()).toEqual([]);
  });

  it('keeps named connections apart, also by letter case', async () => {
    const [first, second] = [await startServer(), await startServer()];
    const { app } = await start([
      RedisModule.forRoot({ ...first.options, name: 'a' }),
      RedisModule.forRoot({ ...second.options, name: 'A' }),
    ]);
    await app.get<RedisClient>(getRedisToken('a')).set('app:who', 'first');
    await app.get<RedisClient>(getRedisToken('A')).set('app:who', 'second');
    expect(await (await first.admin()).get('app:who')).toBe('first');
    expect(await (await second.admin()).get('app:who')).toBe('second');
  });

  it('refuses two connections of one name', async () => {
    const server = await startServer();
    const starting = startApplication([
      RedisModule.forRoot(server.options),
      RedisModule.forRoot(server.options),
    ]);
    await expect(starting).rejects.toThrow(RedisConfigurationError);
    await expect(starting).rejects.toThrow("two connections are called 'default'");
  });

  it('is ready in onModuleInit and still there in onApplicationShutdown', async () => {
    const server = await startServer();
    const seen: (string | null)[] = [];
    @Injectable()
    class Witness implements OnModuleInit, OnApplicationShutdown {
      constructor(@InjectRedisConnection() private readonly connection: RedisConnection) {}
      async onModuleInit() {
        seen.push(this.connection.state, await this.connection.client.set('app:a', '1'));
      }
      async onApplicationShutdown() {
        seen.push(this.connection.state, await this.connection.client.get('app:a'));
      }
    }
    @Module({ providers: [Witness] })
    class Feature {}
    const { app } = await startApplication([Feature, RedisModule.forRoot(server.options)]);
    await app.close();
    expect(seen).toEqual(['ready', 'OK', 'ready', '1']);
  });

  it('is there for the hooks of global modules too, wherever they stand', async () => {
    const server = await startServer();
    const seen: (string | null)[] = [];
    @Global()
    @Module({ imports: [RedisModule.forRoot(server.options)] })
    class Core implements OnModuleInit, OnApplicationShutdown {
      constructor(@InjectRedisConnection() private readonly connection: RedisConnection) {}
      onModuleInit() {
        seen.push(this.connection.state);
      }
      async onApplicationShutdown() {
        seen.push(await this.connection.client.set('app:a', '1'));
      }
    }
    const { app } = await startApplication([Core]);
    await app.close();
    expect(seen).toEqual(['ready', 'OK']);
  });

  it('keeps a connection to its importers with isGlobal: false', async () => {
    const server = await startServer();
    const local = RedisModule.forRoot({ ...server.options, isGlobal: false });
    @Module({ imports: [local], providers: [Visits] })
    class Inside {}
    @Module({ providers: [Visits] })
    class Outside {}
    const { app } = await start([Inside]);
    expect(await app.get(Visits, { strict: false }).redis.ping()).toBe('PONG');
    await expect(startApplication([Inside, Outside])).rejects.toThrow(/rednest:client:default/);
  });

  it('lists every problem at once', async () => {
    const starting = startApplication([
      RedisModule.forRoot({ host: 'localhost', port: 70_000, db: -1, tls: { caFile: '/nowhere/ca.pem' } }),
    ]);
    const error = await starting.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(RedisConfigurationError);
    expect((error as RedisConfigurationError).problems.map(({ option }) => option).toSorted()).toEqual([
      'db',
      'port',
      'tls.caFile',
    ]);
  });
});

describe('configuration from the environment', () => {
  const before = { ...process.env };
  afterEach(() => {
    process.env = { ...before };
  });

  function environment({ options }: RedisServer, prefix = 'REDIS_') {
    process.env[`${prefix}HOST`] = options.host;
    process.env[`${prefix}PORT`] = String(options.port);
    process.env[`${prefix}USERNAME`] = options.username;
    process.env[`${prefix}PASSWORD`] = options.password;
  }

  it.each([
    ['with ConfigModule', [ConfigModule.forRoot({ isGlobal: true, ignoreEnvFile: true })]],
    ['without', []],
  ])('configures the default and a named connection, %s', async (_, imports) => {
    environment(await startServer());
    environment(await startServer(), 'REDIS_SESSIONS_');
    const { app } = await start([
      ...imports,
      RedisModule.forRoot(),
      RedisModule.forRoot({ name: 'sessions' }),
    ]);
    await app.get<RedisClient>(getRedisToken()).set('app:a', 'default');
    const sessions = app.get<RedisClient>(getRedisToken('sessions'));
    expect(await sessions.get('app:a')).toBeNull();
  });

  it('reads what ConfigModule loads from elsewhere', async () => {
    const { options } = await startServer();
    const load = () => ({
      REDIS_URL: `redis://${options.username}:${options.password}@${options.host}:${options.port}`,
    });
    const config = ConfigModule.forRoot({ isGlobal: true, ignoreEnvFile: true, load: [load] });
    const { app } = await start([config, RedisModule.forRoot()]);
    expect(await app.get<RedisClient>(getRedisToken()).ping()).toBe('PONG');
  });

  it('leaves the environment alone where an address is given in code', async () => {
    process.env['REDIS_PASSWORD'] = 'of-another-server';
    process.env['REDIS_URL'] = 'redis://nowhere.invalid';
    const server = await startServer();
    const { app } = await start([RedisModule.forRoot(server.options)]);
    expect(await app.get<RedisClient>(getRedisToken()).ping()).toBe('PONG');
  });
});

describe('RedisModule.forRootAsync', () => {
  @Injectable()
  class Options {
    static server: RedisServer;
    createRedisOptions(): RedisOptions {
      return Options.server.options;
    }
  }
  @Module({ providers: [Options], exports: [Options] })
  class OptionsModule {}

  it('takes useFactory with inject and extraProviders', async () => {
    const server = await startServer();
    const { app } = await start([
      RedisModule.forRootAsync({
        name: 'async',
        extraProviders: [{ provide: 'server', useValue: server }],
        inject: ['server'],
        useFactory: async ({ options }: RedisServer) => options,
      }),
    ]);
    expect(await app.get<RedisClient>(getRedisToken('async')).ping()).toBe('PONG');
  });

  it('takes useClass and useExisting', async () => {
    Options.server = await startServer();
    const { app } = await start([
      RedisModule.forRootAsync({ name: 'class', useClass: Options }),
      RedisModule.forRootAsync({ name: 'existing', imports: [OptionsModule], useExisting: Options }),
    ]);
    expect(await app.get<RedisClient>(getRedisToken('class')).ping()).toBe('PONG');
    expect(await app.get<RedisClient>(getRedisToken('existing')).ping()).toBe('PONG');
  });

  it('takes ConfigService', async () => {
    const server = await startServer();
    const { app } = await start([
      ConfigModule.forRoot({
        isGlobal: true,
        ignoreEnvFile: true,
        load: [() => ({ cache: server.options })],
      }),
      RedisModule.forRootAsync({
        inject: [ConfigService],
        useFactory: (config: ConfigService) => config.getOrThrow<RedisOptions>('cache'),
      }),
    ]);
    expect(await app.get<RedisClient>(getRedisToken()).ping()).toBe('PONG');
  });
});

describe('opening connections', () => {
  @Injectable()
  class Consumer {
    constructor(@Inject(getRedisToken()) readonly redis: unknown) {}
  }

  it.each([
    ['the client', getRedisToken()],
    ['the connection', getRedisConnectionToken()],
  ])('opens none when a test overrides %s', async (_, token) => {
    await using proxy = await FaultProxy.start({ host: '127.0.0.1', port: 1 });
    const replacement = { client: 'a stand-in' };
    const testing = await Test.createTestingModule({
      imports: [RedisModule.forRoot({ host: proxy.host, port: proxy.port })],
      providers: [Consumer],
    })
      .overrideProvider(token)
      .useValue(replacement)
      .compile();
    await testing.init();
    open.push(testing);
    expect([replacement, replacement.client]).toContain(testing.get(Consumer).redis);
    expect(proxy.accepted).toBe(0);
  });

  it('opens none before the application is initialised', async () => {
    const server = await startServer();
    await using proxy = await FaultProxy.start(server);
    const imports = [RedisModule.forRoot(proxy.optionsFor(server.options))];
    const testing = await Test.createTestingModule({ imports }).compile();
    expect(proxy.accepted).toBe(0);
    await testing.init();
    expect(proxy.accepted).toBe(1);
    await testing.close();
  });

  it('closes all connections when one fails to start', async () => {
    const server = await startServer();
    await using proxy = await FaultProxy.start(server);
    const starting = startApplication([
      RedisModule.forRoot(proxy.optionsFor(server.options)),
      RedisModule.forRoot({ name: 'absent', host: '127.0.0.1', port: 1, startupTimeout: 300 }),
    ]);
    await expect(starting).rejects.toThrow(RedisUnavailableError);
    await expect(starting).rejects.toThrow(/'absent' is not ready.*ECONNREFUSED/);
    expect(proxy.accepted).toBe(1);
    await eventually(() => proxy.connections === 0);
  });
});

describe('two applications in one process', () => {
  it('do not see each other', async () => {
    const server = await startServer();
    const [one, two] = [
      await start([RedisModule.forRoot(server.options)]),
      await start([RedisModule.forRoot(server.options)]),
    ];
    const [first, second] = [one, two].map(({ app }) => app.get<RedisConnection>(getRedisConnectionToken()));
    expect(first!.client).not.toBe(second!.client);
    await one.app.close();
    expect(first!.state).toBe('closed');
    expect(await second!.client.ping()).toBe('PONG');
  });
});
