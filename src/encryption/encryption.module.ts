import {
  ConfigurableModuleBuilder,
  Module,
  type ConfigurableModuleAsyncOptions,
  type DynamicModule,
  type ModuleMetadata,
  type Provider,
} from '@nestjs/common';
import { ConfigService } from '@nestjs/config';
import { ModulesContainer } from '@nestjs/core';
import {
  CONNECTED_EXTRAS,
  connectedDefinition,
  connectedProvider,
  hideOptions,
  importedTwiceProblem,
  type ConnectedExtras,
} from '../redis/shared.js';
import { EncryptionEngine } from './encryption-engine.js';
import { EncryptionService } from './encryption.service.js';
import { EncryptionConfigurationError } from './options/encryption-configuration-error.js';
import type { EncryptionRootOptions } from './options/encryption-options.js';
import { resolveRootOptions } from './options/resolve-encryption-options.js';
import { EncryptedRecords } from './records/encrypted-records.js';
import { EncryptedStore } from './store/encrypted-store.js';

/** What `forRoot` and `forRootAsync` take beside the options of the encryption. */
export interface EncryptionModuleExtras {
  /** Name of the Redis connection. @default 'default' */
  connection?: string;
  /** Whether all modules may inject the services without importing `EncryptionModule`. @default true */
  isGlobal?: boolean;
}

/** Options of {@link EncryptionModule.forRoot}. */
export type EncryptionModuleOptions = EncryptionRootOptions &
  EncryptionModuleExtras & {
    /** The module of the connection, where it is not global. */
    imports?: NonNullable<ModuleMetadata['imports']>;
  };

/** A class that makes options, for `useClass` and `useExisting` of `forRootAsync`: one that asks a key management service, say. */
export interface EncryptionOptionsFactory {
  createEncryptionOptions(): EncryptionRootOptions | Promise<EncryptionRootOptions>;
}

/** Options of {@link EncryptionModule.forRootAsync}: `useFactory`, `useClass` or `useExisting`, and what is given beside the options of the encryption. */
export type EncryptionModuleAsyncOptions = ConfigurableModuleAsyncOptions<
  EncryptionRootOptions,
  'createEncryptionOptions'
> &
  EncryptionModuleExtras & {
    /** Providers that the factory needs and that live in no module of their own. */
    extraProviders?: Provider[];
  };

const { ConfigurableModuleClass: ConfigurableEncryptionModule, MODULE_OPTIONS_TOKEN } =
  new ConfigurableModuleBuilder<EncryptionRootOptions>({ moduleName: 'Encryption' })
    .setClassMethodName('forRoot')
    .setFactoryMethodName('createEncryptionOptions')
    .setExtras<ConnectedExtras>(CONNECTED_EXTRAS, completeDefinition)
    .build();

/**
 * Encryption of what is kept in Redis and elsewhere. Keys that are missing, weak or given twice fail the start, and wrong options do, with an
 * {@link EncryptionConfigurationError} that lists every problem and shows no key.
 *
 * @example
 * imports: [RedisModule.forRoot(), EncryptionModule.forRoot()] // ENCRYPTION_KEY from the environment
 * @example
 * EncryptionModule.forRootAsync({ inject: [Vault], useFactory: async (vault: Vault) => ({ key: await vault.read('atlas') }) })
 */
@Module({})
export class EncryptionModule extends ConfigurableEncryptionModule {
  constructor(modules: ModulesContainer) {
    super();
    // With two there would be two key rings, and which of them a service gets would depend on the order of imports.
    const problem = importedTwiceProblem(modules, { metatype: EncryptionModule, name: 'EncryptionModule' });
    if (problem) throw new EncryptionConfigurationError('EncryptionModule', [problem]);
  }

  static override forRoot(options: EncryptionModuleOptions = {}): DynamicModule {
    return super.forRoot(options);
  }

  /** As {@link forRoot}, with options that other providers give. `connection` and `isGlobal` are given beside them. */
  static override forRootAsync(options: EncryptionModuleAsyncOptions): DynamicModule {
    return super.forRootAsync(options);
  }
}

function completeDefinition(definition: DynamicModule, extras: ConnectedExtras): DynamicModule {
  const providers = (definition.providers ?? []).map(hideOptions(MODULE_OPTIONS_TOKEN));
  return connectedDefinition({ ...definition, providers }, extras, {
    providers: (connection) => [serviceProvider(connection), storeProvider, recordsProvider],
    exports: [EncryptionService, EncryptedStore, EncryptedRecords],
  });
}

function serviceProvider(connection: string): Provider {
  return connectedProvider<EncryptionRootOptions, [ConfigService?]>({
    provide: EncryptionService,
    module: 'EncryptionModule',
    connection,
    options: MODULE_OPTIONS_TOKEN,
    inject: [{ token: ConfigService, optional: true }],
    make: (its, options, config = new ConfigService()) => {
      const engine = new EncryptionEngine(its, resolveRootOptions(options, config));
      return { user: engine, service: new EncryptionService(engine.parts) };
    },
    errorOf: (problem) => new EncryptionConfigurationError('EncryptionModule', [problem]),
  });
}

const storeProvider: Provider = {
  provide: EncryptedStore,
  inject: [EncryptionService],
  useFactory: (service: EncryptionService) => new EncryptedStore(service),
};

const recordsProvider: Provider = {
  provide: EncryptedRecords,
  inject: [EncryptionService],
  useFactory: (service: EncryptionService) => new EncryptedRecords(service),
};
