import {
  ConfigurableModuleBuilder,
  Module,
  type ConfigurableModuleAsyncOptions,
  type DynamicModule,
  type ModuleMetadata,
  type Provider,
} from '@nestjs/common';
import { APP_FILTER, ModulesContainer } from '@nestjs/core';
import {
  CONNECTED_EXTRAS,
  connectedDefinition,
  connectedProvider,
  importedTwiceProblem,
  type ConnectedExtras,
} from '../redis/shared.js';
import { LockEngine } from './lock-engine.js';
import { LockExceptionFilter } from './http/lock-exception.filter.js';
import { LockService } from './lock.service.js';
import { LockConfigurationError } from './options/lock-configuration-error.js';
import type { LockRootOptions } from './options/lock-options.js';
import { resolveRootOptions } from './options/resolve-lock-options.js';

/** What `forRoot` and `forRootAsync` take beside the options of the locks. */
export interface LockModuleExtras {
  /** Name of the Redis connection. @default 'default' */
  connection?: string;
  /** Whether all modules may inject `LockService` without importing `LockModule`. @default true */
  isGlobal?: boolean;
  /**
   * Whether {@link LockExceptionFilter} answers clients whose request did not get its lock. False for an application that does so by filters of
   * its own; the errors have a `statusCode`. @default true
   */
  exceptionFilter?: boolean;
}

type Extras = ConnectedExtras & Pick<LockModuleExtras, 'exceptionFilter'>;

/** Options of {@link LockModule.forRoot}. */
export type LockModuleOptions = LockRootOptions &
  LockModuleExtras & {
    /** The module of the connection, where it is not global. */
    imports?: NonNullable<ModuleMetadata['imports']>;
  };

/** A class that makes options, for `useClass` and `useExisting` of `forRootAsync`. */
export interface LockOptionsFactory {
  createLockOptions(): LockRootOptions | Promise<LockRootOptions>;
}

/** Options of {@link LockModule.forRootAsync}: `useFactory`, `useClass` or `useExisting`, and what is given beside the options of the locks. */
export type LockModuleAsyncOptions = ConfigurableModuleAsyncOptions<LockRootOptions, 'createLockOptions'> &
  LockModuleExtras & {
    /** Providers that the factory needs and that live in no module of their own. */
    extraProviders?: Provider[];
  };

const { ConfigurableModuleClass: ConfigurableLockModule, MODULE_OPTIONS_TOKEN } =
  new ConfigurableModuleBuilder<LockRootOptions>({ moduleName: 'Lock' })
    .setClassMethodName('forRoot')
    .setFactoryMethodName('createLockOptions')
    .setExtras<Extras>({ ...CONNECTED_EXTRAS, exceptionFilter: true }, completeDefinition)
    .build();

/**
 * Locks over the replicas of an application. Wrong options fail the start with a {@link LockConfigurationError} that lists every problem.
 *
 * @example
 * imports: [RedisModule.forRoot(), LockModule.forRoot({ ttl: '10s' })]
 */
@Module({})
export class LockModule extends ConfigurableLockModule {
  constructor(modules: ModulesContainer) {
    super();
    // Each would tell the other's leases from its own: none could be re-entered, nor found by current().
    const problem = importedTwiceProblem(modules, { metatype: LockModule, name: 'LockModule' });
    if (problem) throw new LockConfigurationError('LockModule', [problem]);
  }

  static override forRoot(options: LockModuleOptions = {}): DynamicModule {
    return super.forRoot(options);
  }

  /** As {@link forRoot}, with options that other providers give. `connection`, `isGlobal` and `exceptionFilter` are given beside them. */
  static override forRootAsync(options: LockModuleAsyncOptions): DynamicModule {
    return super.forRootAsync(options);
  }
}

function completeDefinition(definition: DynamicModule, extras: Extras): DynamicModule {
  const { exceptionFilter = true } = extras;
  const filters = exceptionFilter ? [{ provide: APP_FILTER, useClass: LockExceptionFilter }] : [];
  return connectedDefinition(definition, extras, {
    providers: (connection) => [...filters, serviceProvider(connection)],
    exports: [LockService],
  });
}

function serviceProvider(connection: string): Provider {
  return connectedProvider<LockRootOptions>({
    provide: LockService,
    module: 'LockModule',
    connection,
    options: MODULE_OPTIONS_TOKEN,
    make: (its, options) => {
      const engine = new LockEngine(its, resolveRootOptions(options));
      return { user: engine, service: new LockService(engine) };
    },
    errorOf: (problem) => new LockConfigurationError('LockModule', [problem]),
  });
}
