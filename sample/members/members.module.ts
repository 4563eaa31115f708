import { Module, type MiddlewareConsumer, type NestModule } from '@nestjs/common';
import { ConfigService } from '@nestjs/config';
import session from 'express-session';
import { EncryptionService, InjectRedisConnection, type RedisConnection } from 'rednest';
import { RedisSessionStore } from 'rednest/session';
import { sessionNamespace } from '../atlas.keys.js';
import { MembersController } from './members.controller.js';
import { MembersService } from './members.service.js';
import { SESSION_COOKIE } from './session-cookie.js';
import { SessionController } from './session.controller.js';

/** For how long a member stays logged in who asks for nothing, in milliseconds. */
const IDLE = 30 * 60_000;

@Module({ controllers: [MembersController, SessionController], providers: [MembersService] })
export class MembersModule implements NestModule {
  readonly #connection: RedisConnection;
  readonly #encryption: EncryptionService;
  readonly #config: ConfigService;

  constructor(
    @InjectRedisConnection() connection: RedisConnection,
    encryption: EncryptionService,
    config: ConfigService,
  ) {
    this.#connection = connection;
    this.#encryption = encryption;
    this.#config = config;
  }

  configure(consumer: MiddlewareConsumer): void {
    const store = new RedisSessionStore(this.#connection, {
      namespace: sessionNamespace,
      encryption: this.#encryption,
    });
    const sessions = session({
      store,
      name: SESSION_COOKIE.name,
      secret: this.#config.getOrThrow<string>('SESSION_SECRET'),
      resave: false,
      saveUninitialized: false,
      rolling: true,
      cookie: { path: SESSION_COOKIE.path, maxAge: IDLE, httpOnly: true, sameSite: 'lax', secure: 'auto' },
    });
    consumer.apply(sessions).forRoutes(SessionController);
  }
}
