import {
  Global,
  Module,
  type BeforeApplicationShutdown,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { HOOK_DISTANCE, setDistance } from './hook-order.js';
import { RedisConnections } from './redis-connections.js';

/**
 * Starts and closes the connections of an application: before all other modules are initialised and after they are shut down, so that
 * Redis is there in every `onModuleInit`, and still there in every `onApplicationShutdown`.
 */
@Global()
@Module({ providers: [RedisConnections], exports: [RedisConnections] })
export class RedisCoreModule implements OnModuleInit, BeforeApplicationShutdown, OnApplicationShutdown {
  constructor(
    private readonly connections: RedisConnections,
    modules: ModulesContainer,
  ) {
    setDistance(modules, RedisCoreModule, HOOK_DISTANCE.connections);
  }

  onModuleInit(): Promise<void> {
    return this.connections.start();
  }

  beforeApplicationShutdown(): void {
    this.connections.drain();
  }

  onApplicationShutdown(): Promise<void> {
    return this.connections.close();
  }
}
