import { Global, Module, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { RedisConnections } from './redis-connections.js';

/**
 * Starts and closes the connections of an application. It is global, and so Nest initialises it before all other modules and shuts it
 * down after them: Redis is there in every `onModuleInit`, and still there in every `onApplicationShutdown`.
 */
@Global()
@Module({ providers: [RedisConnections], exports: [RedisConnections] })
export class RedisCoreModule implements OnModuleInit, OnApplicationShutdown {
  constructor(private readonly connections: RedisConnections) {}

  onModuleInit(): Promise<void> {
    return this.connections.start();
  }

  onApplicationShutdown(): Promise<void> {
    return this.connections.close();
  }
}
