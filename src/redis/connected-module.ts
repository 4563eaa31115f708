import type {
  DynamicModule,
  FactoryProvider,
  InjectionToken,
  ModuleMetadata,
  Provider,
} from '@nestjs/common';
import type { RedisConnection } from './connection/redis-connection.js';
import { connectionProblem } from './module-problems.js';
import type { ConfigurationProblem } from './options/configuration-error.js';
import { RedisConnections, type ConnectionUser } from './redis-connections.js';
import { RedisCoreModule } from './redis-core.module.js';
import { DEFAULT_CONNECTION, getRedisConnectionToken } from './redis.tokens.js';

/** What a module that works with all connections of the application takes beside its options. */
export interface ApplicationExtras {
  /** Whether all modules may inject what the module exports without importing it. @default true */
  isGlobal?: boolean;
  /** Modules whose providers the factory of the options needs, or guards of the module's endpoint. */
  imports?: NonNullable<ModuleMetadata['imports']>;
  /** Providers that those need, and that live in no module of their own. */
  extraProviders?: Provider[];
}

/** What a module that works with one connection takes beside its options. */
export interface ConnectedExtras extends ApplicationExtras {
  /** Name of the connection. @default 'default' */
  connection?: string;
}

/** What is missing here is taken for an option of the module. */
export const APPLICATION_EXTRAS: Required<ApplicationExtras> = {
  isGlobal: true,
  imports: [],
  extraProviders: [],
};

/** What is missing here is taken for an option of the module. */
export const CONNECTED_EXTRAS: Required<ConnectedExtras> = {
  ...APPLICATION_EXTRAS,
  connection: DEFAULT_CONNECTION,
};

/** What a module has of its own. */
interface Parts {
  readonly imports?: NonNullable<ModuleMetadata['imports']>;
  /** @param connection name of the connection */
  readonly providers: (connection: string) => Provider[];
  readonly exports: NonNullable<DynamicModule['exports']>;
}

/** Completes what Nest's builder made of a module's options. */
export function connectedDefinition(
  definition: DynamicModule,
  extras: ConnectedExtras,
  { imports: own = [], providers, exports }: Parts,
): DynamicModule {
  // Nest gives the defaults for what is missing, and not for what is undefined.
  const { connection = DEFAULT_CONNECTION, isGlobal = true, imports = [], extraProviders = [] } = extras;
  return {
    ...definition,
    global: isGlobal,
    imports: [...(definition.imports ?? []), ...imports, RedisCoreModule, ...own],
    providers: [...(definition.providers ?? []), ...extraProviders, ...providers(connection)],
    exports,
  };
}

interface Connected<Options, Others extends unknown[]> {
  readonly provide: InjectionToken;
  /** As an application writes it: `LockModule`. */
  readonly module: string;
  /** Name of the connection. */
  readonly connection: string;
  /** Token of the options. */
  readonly options: InjectionToken;
  /** What else `make` is given. @default nothing */
  readonly inject?: NonNullable<FactoryProvider['inject']>;
  /** What works with the connection, and the service on top of it. */
  readonly make: (
    connection: RedisConnection,
    options: Options,
    ...others: Others
  ) => { readonly user: ConnectionUser; readonly service: object };
  readonly errorOf: (problem: ConfigurationProblem) => Error;
}

/** A service that works with a connection: opened with the others, started and stopped in order with them. */
export function connectedProvider<Options, Others extends unknown[] = []>(
  given: Connected<Options, Others>,
): Provider {
  const { provide, module, connection: name, options: optionsToken, make, errorOf, inject = [] } = given;
  return {
    provide,
    inject: [
      optionsToken,
      RedisConnections,
      { token: getRedisConnectionToken(name), optional: true },
      ...inject,
    ],
    useFactory: (
      options: Options,
      connections: RedisConnections,
      connection: RedisConnection | undefined,
      ...others: Others
    ) => {
      if (!connection) throw errorOf(connectionProblem(module, name));
      const { user, service } = make(connection, options, ...others);
      // The connection is opened with the others, and waited for as it says.
      void connection.client;
      connections.attach(user);
      return service;
    },
  };
}
