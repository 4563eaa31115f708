import 'reflect-metadata';
import { Controller, Logger, type LogLevel, type Type } from '@nestjs/common';
import { loadPackage } from '@nestjs/common/internal';
import { NestFactory } from '@nestjs/core';
import { lastValueFrom, type Observable } from 'rxjs';
import { loadPeer } from '../../support/peers.js';
import { connectionOf } from './connection.js';
import { topic, type Handle, type Subject } from './subject.js';

interface ClientRedis {
  connect(): Promise<unknown>;
  emit(pattern: string, data: object): Observable<unknown>;
  close(): Promise<unknown>;
}

interface Microservices {
  readonly ClientRedis: new (options: object) => ClientRedis;
  readonly Transport: { readonly REDIS: number };
  readonly EventPattern: (pattern: string) => MethodDecorator;
}

const logger: LogLevel[] = ['error', 'warn'];

export const nestMicroservices: Subject = {
  title: '@nestjs/microservices',
  openPublisher: async ({ url, namespace }) => {
    const { ClientRedis } = await load();
    Logger.overrideLogger(logger);
    const client = new ClientRedis(connectionOf(url));
    await client.connect();
    const pattern = `${namespace}:${topic}`;
    return {
      publish: (view) => lastValueFrom(client.emit(pattern, view), { defaultValue: undefined }),
      close: () => client.close(),
    };
  },
  subscribe: async ({ url, namespace }, handlers) => {
    const microservices = await load();
    class BenchModule {}
    const application = await NestFactory.createMicroservice(
      { module: BenchModule, controllers: [controllerOf(microservices, `${namespace}:${topic}`, handlers)] },
      { transport: microservices.Transport.REDIS, options: connectionOf(url), logger },
    );
    await application.listen();
    return { end: () => application.close() };
  },
};

/** NestFactory would look for it where it stands itself: it takes what Nest has loaded before. */
async function load(): Promise<Microservices> {
  const name = '@nestjs/microservices';
  return (await loadPackage(name, 'the benchmark', () => loadPeer(name))) as Microservices;
}

/** With a method for each handler. */
function controllerOf({ EventPattern }: Microservices, pattern: string, handlers: readonly Handle[]): Type {
  class ViewsController {}
  handlers.forEach((handle, index) => {
    const descriptor = { value: (view: Parameters<Handle>[0]) => handle(view), configurable: true };
    Object.defineProperty(ViewsController.prototype, `handle${index}`, descriptor);
    EventPattern(pattern)(ViewsController.prototype, `handle${index}`, descriptor);
  });
  Controller()(ViewsController);
  return ViewsController;
}
