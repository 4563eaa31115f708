import 'reflect-metadata';
import { type INestApplicationContext, type ModuleMetadata } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { getRedisConnectionToken, type RedisConnection, RedisModule, type RedisModuleOptions } from 'rednest';
import { startRedis, type RedisServer } from 'rednest/testing';
import { userLine } from './guide-acl.js';
import { LogRecorder } from './log-recorder.js';

/** What the tests' own code does with Redis, beside what the guide's ACL gives for rednest. */
const TEST_COMMANDS = '+@read +@write -@dangerous +ping +publish +wait';

type StartOptions = Parameters<typeof startRedis>[0];

/** A server whose user has the guide's smallest ACL: keys and channels must begin with `app:`. */
export function startGuardedRedis(options: StartOptions = {}): Promise<RedisServer> {
  return startRedis({ acl: [userLine(TEST_COMMANDS)], ...options });
}

export { TEST_COMMANDS };

/** Starts an application of these modules; what it logs is in `log`. */
export async function startApplication(
  imports: NonNullable<ModuleMetadata['imports']>,
  providers: NonNullable<ModuleMetadata['providers']> = [],
): Promise<{ app: INestApplicationContext; log: LogRecorder }> {
  const log = new LogRecorder();
  const testing = await Test.createTestingModule({ imports, providers }).setLogger(log).compile();
  const app = await testing.init();
  return { app, log };
}

/** Starts an application with one connection. */
export async function startConnection(
  options: RedisModuleOptions,
): Promise<{ app: INestApplicationContext; log: LogRecorder; connection: RedisConnection }> {
  const { app, log } = await startApplication([RedisModule.forRoot(options)]);
  return { app, log, connection: app.get(getRedisConnectionToken(options.name)) };
}
