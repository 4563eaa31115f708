import 'reflect-metadata';
import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Injectable, Module, type DynamicModule, type INestApplicationContext } from '@nestjs/common';
import { ConfigModule } from '@nestjs/config';
import { ModulesContainer } from '@nestjs/core';
import {
  EncryptedRecords,
  EncryptedStore,
  EncryptionConfigurationError,
  EncryptionModule,
  EncryptionService,
  EncryptionUnknownKeyError,
  RedisModule,
  type EncryptionRootOptions,
} from 'rednest';
import { startRedis, type RedisServer } from 'rednest/testing';
import type { LogRecorder } from '../support/log-recorder.js';
import { startApplication } from '../support/redis-application.js';

let server: RedisServer;
const started: INestApplicationContext[] = [];

beforeAll(async () => {
  server = await startRedis();
});
afterEach(async () => {
  await Promise.all(started.splice(0).map((app) => app.close()));
});
afterAll(() => server[Symbol.asyncDispose]());

type Imports = Parameters<typeof startApplication>[0];

async function start(...imports: Imports): Promise<{ app: INestApplicationContext; log: LogRecorder }> {
  const application = await startApplication([RedisModule.forRoot(server.options), ...imports]);
  started.push(application.app);
  return application;
}

const serviceOf = async (...imports: Imports): Promise<EncryptionService> => {
  return (await start(...imports)).app.get(EncryptionService, { strict: false });
};

async function refused(...imports: Imports): Promise<EncryptionConfigurationError> {
  const error: unknown = await start(...imports).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(EncryptionConfigurationError);
  return error as EncryptionConfigurationError;
}

/** What the application's ConfigService has. */
const environment = (variables: Record<string, string>): Promise<DynamicModule> =>
  ConfigModule.forRoot({ isGlobal: true, ignoreEnvFile: true, load: [() => variables] });

@Injectable()
class Payments {
  constructor(
    readonly service: EncryptionService,
    readonly store: EncryptedStore,
    readonly records: EncryptedRecords,
  ) {}
}

/** Pieces of a key, in each way that it may be shown. */
function slicesOf(key: Buffer): string[] {
  const spaced = inspect(key).slice('<Buffer '.length);
  return [key.toString('hex'), key.toString('base64'), key.toString('latin1'), spaced].flatMap((text) => {
    return [0, 12, 20].map((at) => text.slice(at, at + 11));
  });
}

describe('EncryptionModule.forRoot', () => {
  it('takes the key of the environment, and serves all modules', async () => {
    @Module({ providers: [Payments] })
    class Feature {}
    process.env['ENCRYPTION_KEY'] = `2026:${randomBytes(32).toString('hex')}`;
    try {
      const { app } = await start(EncryptionModule.forRoot(), Feature);
      const { service, store, records } = app.get(Payments, { strict: false });
      expect(service.keys).toEqual([{ id: '00002026', role: 'primary' }]);
      expect(records).toBeInstanceOf(EncryptedRecords);
      await store.set('module:a', 5);
      expect(await store.get('module:a')).toBe(5);
    } finally {
      delete process.env['ENCRYPTION_KEY'];
    }
  });

  it('takes keys of ConfigService: one to write with, others to read with', async () => {
    const [old, next] = [randomBytes(32), randomBytes(32)];
    const before = await serviceOf(EncryptionModule.forRoot({ key: { id: '1', key: old } }));
    const config = environment({
      ENCRYPTION_KEY: `2:${next.toString('base64')}`,
      ENCRYPTION_DECRYPT_KEYS: `1:${old.toString('hex')}, 3:${randomBytes(32).toString('base64url')},`,
    });
    const after = await serviceOf(config, EncryptionModule.forRoot());
    expect(after.keys).toEqual([
      { id: '00000002', role: 'primary' },
      { id: '00000001', role: 'decrypt' },
      { id: '00000003', role: 'decrypt' },
    ]);
    expect(after.decrypt(before.encrypt('a'))).toBe('a');
    expect(() => before.decrypt(after.encrypt('a'))).toThrow(EncryptionUnknownKeyError);
  });

  it('does not start without a key, and says what to do', async () => {
    const { message } = await refused(environment({ ENCRYPTION_KEY: '' }), EncryptionModule.forRoot());
    expect(message).toMatch(/ENCRYPTION_KEY: is missing: .*64 hexadecimal.*openssl rand -hex 32/);
  });

  it('tells of every problem at once', async () => {
    const options = { key: 'abc', bind: 'all', namespaces: 'a', migratePlaintext: {} } as object;
    const { problems } = await refused(EncryptionModule.forRoot(options));
    expect(problems.map(({ option }) => option).toSorted()).toEqual([
      'bind',
      'key',
      'migratePlaintext.until',
      'namespaces',
    ]);
  });

  it('uses the connection that is named, and tells of one that is missing or hidden', async () => {
    const key = randomBytes(32);
    const missing = await refused(EncryptionModule.forRoot({ key, connection: 'vault' }));
    expect(missing.message).toMatch("connection: the Redis connection 'vault' cannot be found");
    const hidden = RedisModule.forRoot({ ...server.options, name: 'vault', isGlobal: false });
    expect((await refused(hidden, EncryptionModule.forRoot({ key, connection: 'vault' }))).message).toMatch(
      /imports/,
    );
    const { app } = await start(EncryptionModule.forRoot({ key, connection: 'vault', imports: [hidden] }));
    await app.get(EncryptedStore).set('module:b', 'a');
    expect(await app.get(EncryptedStore).get('module:b')).toBe('a');
  });

  it('keeps its services to its importers with isGlobal: false', async () => {
    const encryption = EncryptionModule.forRoot({ key: randomBytes(32), isGlobal: false });
    @Module({ imports: [encryption], providers: [Payments] })
    class Inside {}
    @Module({ providers: [Payments] })
    class Outside {}
    const { app } = await start(Inside);
    expect(app.get(Payments, { strict: false }).service).toBeInstanceOf(EncryptionService);
    await expect(start(Inside, Outside)).rejects.toThrow(/EncryptionService/);
  });

  it('refuses to be imported twice, and is one, imported in several places', async () => {
    const [one, two] = [0, 0].map(() => EncryptionModule.forRoot({ key: randomBytes(32) }));
    @Module({ imports: [one!] })
    class First {}
    @Module({ imports: [one!] })
    class Second {}
    await start(First, Second);
    expect((await refused(one!, two!)).message).toMatch(/EncryptionModule.forRoot: is imported twice/);
  });
});

describe('EncryptionModule.forRootAsync', () => {
  const key = randomBytes(32);

  @Injectable()
  class Vault {
    async read(): Promise<string> {
      await new Promise(setImmediate);
      return key.toString('base64');
    }
  }
  @Injectable()
  class Options {
    createEncryptionOptions(): EncryptionRootOptions {
      return { key: { id: '7', key } };
    }
  }
  @Module({ providers: [Options], exports: [Options] })
  class OptionsModule {}
  const fromVault = {
    extraProviders: [Vault],
    inject: [Vault],
    useFactory: async (vault: Vault) => ({ key: `7:${await vault.read()}` }),
  };

  it.each([
    ['useClass', { useClass: Options }],
    ['useExisting', { imports: [OptionsModule], useExisting: Options }],
    ['useFactory, of a provider that fetches the key', fromVault],
  ])('takes %s', async (_, options) => {
    const service = await serviceOf(EncryptionModule.forRootAsync(options));
    expect(service.keys).toEqual([{ id: '00000007', role: 'primary' }]);
    expect(service.decrypt(service.encrypt({ a: 1 }))).toEqual({ a: 1 });
  });

  it('tells of wrong options, of the key in place of them, and of what the factory throws', async () => {
    const wrong = EncryptionModule.forRootAsync({ useFactory: () => ({ suite: 'rot13' }) as never });
    expect((await refused(wrong)).message).toMatch(/suite: 'rot13' is not/);
    const text = key.toString('hex');
    const bare = await refused(EncryptionModule.forRootAsync({ useFactory: () => text as never }));
    expect(bare.message).toMatch(/a key is given as \{ key \}/);
    expect(inspect(bare)).not.toContain(text.slice(0, 8));
    const failing = EncryptionModule.forRootAsync({
      useFactory: () => Promise.reject(new Error('No vault')),
    });
    await expect(start(failing)).rejects.toThrow('No vault');
  });
});

describe('a key', () => {
  it('is shown by nothing: the module, the container, the services or the log', async () => {
    const [key, other] = [randomBytes(32), randomBytes(32)];
    const options = { key: { id: '1', key }, decryptKeys: [other.toString('hex')] };
    const modules = [
      EncryptionModule.forRoot(options),
      EncryptionModule.forRootAsync({ useFactory: () => options }),
      EncryptionModule.forRoot({ key, decryptKeys: [other.toString('base64')] }),
    ];
    for (const module of modules) {
      const { app, log } = await start(module);
      await app.get(EncryptedStore).set('module:c', 'a');
      const { providers } = [...app.get(ModulesContainer).values()].find(
        ({ metatype }) => metatype === EncryptionModule,
      )!;
      const instances = Array.from(providers.values(), ({ instance }): unknown => instance);
      const plain = instances.filter((instance) => instance?.constructor === Object);
      const inspected = [module, log.lines, ...instances].map((each) =>
        inspect(each, { depth: 6, showHidden: true }),
      );
      const shown = [...inspected, JSON.stringify([module, log.lines, plain])].join('\n');
      expect(shown).toContain('***');
      for (const slice of [key, other].flatMap(slicesOf)) expect(shown).not.toContain(slice);
    }
  });
});

describe('migratePlaintext', () => {
  const migrating = async (until: Date): Promise<string[]> => {
    const module = EncryptionModule.forRoot({ key: randomBytes(32), migratePlaintext: { until } });
    return (await start(module)).log.texts('EncryptionModule');
  };

  it('is warned of at every start, and when it is over', async () => {
    const until = new Date(Date.now() + 86_400_000);
    expect(await migrating(until)).toEqual([
      `Until ${until.toISOString()} what is not encrypted is accepted (migratePlaintext), whoever has written it`,
    ]);
    expect(await migrating(new Date(0))).toEqual([
      'migratePlaintext has ended at 1970-01-01T00:00:00.000Z: what is not encrypted is refused. The option can be removed',
    ]);
    const { log } = await start(EncryptionModule.forRoot({ key: randomBytes(32) }));
    expect(log.texts('EncryptionModule')).toEqual([]);
  });
});
