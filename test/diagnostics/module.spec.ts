import 'reflect-metadata';
import { describe, expect, it } from '@jest/globals';
import { Injectable, Module, type INestApplicationContext } from '@nestjs/common';
import { RedisModule } from 'rednest';
import {
  getRedisInspectorToken,
  InjectRedisInspector,
  InspectionConfigurationError,
  RedisInspector,
  RedisInspectorModule,
} from 'rednest/diagnostics';
import { Opened } from '../support/opened.js';
import { startApplication } from '../support/redis-application.js';

const opened = new Opened();

@Injectable()
class Dashboard {
  constructor(
    readonly main: RedisInspector,
    @InjectRedisInspector('sessions') readonly sessions: RedisInspector,
  ) {}
}

@Module({ providers: [Dashboard] })
class Feature {}

async function start(...parameters: Parameters<typeof startApplication>): Promise<INestApplicationContext> {
  const { app } = await startApplication(...parameters);
  opened.add({ [Symbol.asyncDispose]: () => app.close() });
  return app;
}

describe('RedisInspectorModule', () => {
  it('gives out the inspector of each connection', async () => {
    const [main, sessions] = [await opened.server({}), await opened.server({})];
    await (await sessions.admin()).set('a', 1);
    const app = await start([
      RedisModule.forRoot(main.options),
      RedisModule.forRoot({ ...sessions.options, name: 'sessions' }),
      RedisInspectorModule.forRoot(),
      RedisInspectorModule.forRootAsync({
        connection: 'sessions',
        useFactory: async () => ({ timeout: '2s' }),
      }),
      Feature,
    ]);
    const dashboard = app.get(Dashboard, { strict: false });
    expect(await dashboard.main.keyspace()).toMatchObject({ keys: 0, nodes: [{ node: 'default' }] });
    expect(await dashboard.sessions.keyspace()).toMatchObject({ keys: 1, nodes: [{ node: 'sessions' }] });
    expect(app.get(getRedisInspectorToken())).toBe(dashboard.main);
    expect(app.get(RedisInspector)).toBe(dashboard.main);
    expect(app.get(getRedisInspectorToken('sessions'))).toBe(dashboard.sessions);
  });

  it.each([undefined, 'sessions'])('tells of a connection that does not exist (%p)', async (name) => {
    const server = await opened.emptyServer();
    const redis = RedisModule.forRoot({ ...server.options, name: 'other' });
    const inspector = RedisInspectorModule.forRoot(name === undefined ? {} : { connection: name });
    const error: unknown = await startApplication([redis, inspector]).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(InspectionConfigurationError);
    expect((error as Error).message).toMatch(
      `RedisInspectorModule is not configured correctly:\n  - connection: the Redis connection '${name ?? 'default'}' cannot be found`,
    );
  });

  it('lists every problem of its options', async () => {
    const server = await opened.emptyServer();
    const options = { timeout: 'soon', tiemout: 1 } as never;
    const starting = startApplication([
      RedisModule.forRoot(server.options),
      RedisInspectorModule.forRoot(options),
    ]);
    await expect(starting).rejects.toMatchObject({
      problems: [{ option: 'tiemout' }, { option: 'timeout' }],
    });
  });
});
