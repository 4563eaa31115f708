import {
  Global,
  Module,
  type OnApplicationShutdown,
  type OnModuleDestroy,
  type OnModuleInit,
} from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { HOOK_DISTANCE, setDistance } from './hook-order.js';
import { RedisConnections } from './redis-connections.js';

/** Tells the connections that the application shuts down, before anybody else begins to close what waits for Redis. */
@Module({})
export class RedisDrainModule implements OnModuleDestroy {
  constructor(
    private readonly connections: RedisConnections,
    modules: ModulesContainer,
  ) {
    setDistance(modules, RedisDrainModule, HOOK_DISTANCE.probes);
  }

  onModuleDestroy(): void {
    this.connections.drain();
  }
}

/**
 * Starts and closes the connections of an application: before all other modules are initialised and after they are shut down, so that
 * Redis is there in every `onModuleInit`, and still there in every `onApplicationShutdown`.
 */
@Global()
@Module({ imports: [RedisDrainModule], providers: [RedisConnections], exports: [RedisConnections] })
export class RedisCoreModule implements OnModuleInit, OnApplicationShutdown {
  constructor(
    private readonly connections: RedisConnections,
    modules: ModulesContainer,
  ) {
    setDistance(modules, RedisCoreModule, HOOK_DISTANCE.connections);
  }

  onModuleInit(): Promise<void> {
    return this.connections.start();
  }

  onApplicationShutdown(): Promise<void> {
    return this.connections.close();
  }
}
