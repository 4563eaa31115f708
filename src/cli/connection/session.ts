import 'reflect-metadata';
import type { INestApplicationContext, ModuleMetadata, Type } from '@nestjs/common';
import { ConfigModule, ConfigService } from '@nestjs/config';
import { NestFactory } from '@nestjs/core';
import { RedisInspector } from '../../diagnostics/index.js';
import {
  getRedisConnectionToken,
  RedisModule,
  type RedisCommonOptions,
  type RedisConnection,
} from '../../redis/index.js';
import { resolveRedisOptions } from '../../redis/shared.js';
import type { Call } from '../call.js';
import { CliLogger } from './cli-logger.js';
import { reasonOf } from './reason.js';
import { whenReady } from './when-ready.js';

/** What a command needs beside what the environment says: to hear of a silent server soon, and to end soon. */
export const CLI_OPTIONS = {
  startup: 'optional',
  clientName: 'rednest:cli',
  shutdownTimeout: '1s',
  stallTimeout: '15s',
} as const satisfies RedisCommonOptions;

/** An application context with the connection that the environment describes, as it is described to an application. */
export class Session implements AsyncDisposable {
  readonly connection: RedisConnection;
  readonly inspector: RedisInspector;
  readonly #application: INestApplicationContext;

  private constructor(application: INestApplicationContext, connection: RedisConnection) {
    this.#application = application;
    this.connection = connection;
    this.inspector = new RedisInspector(connection);
  }

  /**
   * @param modules what else the command works with
   * @throws RedisConfigurationError for wrong variables; RedisError when Redis is not there in time; StoppedError
   */
  static async open(call: Call, modules: NonNullable<ModuleMetadata['imports']> = []): Promise<Session> {
    const { connection: name, timeout, terminal, signal } = call;
    const application = await NestFactory.createApplicationContext(
      {
        module: class RednestCommand {},
        imports: [
          await ConfigModule.forRoot({ isGlobal: true }),
          RedisModule.forRoot({ ...CLI_OPTIONS, name }),
          ...modules,
        ],
      },
      { logger: new CliLogger(terminal), abortOnError: false },
    );
    try {
      const connection = application.get<RedisConnection>(getRedisConnectionToken(name));
      await whenReady(connection, { timeout, signal });
      return new Session(application, connection);
    } catch (error) {
      const config = application.get(ConfigService);
      await application.close();
      throw await reasonOf(error, resolveRedisOptions({ name, options: CLI_OPTIONS, config }));
    }
  }

  get<Service>(type: Type<Service>): Service {
    return this.#application.get(type);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#application.close();
  }
}
