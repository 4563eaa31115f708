import { Global, Module, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { RedisConnections } from './redis-connections.js';

/**
 * Starts and closes the connections of an application: before all other modules are initialised and after they are shut down, so that
 * Redis is there in every `onModuleInit`, and still there in every `onApplicationShutdown`.
 */
@Global()
@Module({ providers: [RedisConnections], exports: [RedisConnections] })
export class RedisCoreModule implements OnModuleInit, OnApplicationShutdown {
  constructor(
    private readonly connections: RedisConnections,
    modules: ModulesContainer,
  ) {
    // Nest runs the hooks by distance from the root module, and all global modules, which the application may have too, are as far.
    for (const module of modules.values())
      if (module.metatype === RedisCoreModule) module.distance = Infinity;
  }

  onModuleInit(): Promise<void> {
    return this.connections.start();
  }

  onApplicationShutdown(): Promise<void> {
    return this.connections.close();
  }
}
