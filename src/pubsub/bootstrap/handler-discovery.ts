import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import { Injectable } from '@nestjs/common';
import { handlingsOf, type Handling } from '../decorators/handlings.js';
import { HandlerHost, type InstanceWrapper } from './handler-host.js';

/** A method that is to handle events. */
export interface FoundHandler extends Handling {
  readonly host: HandlerHost;
  readonly method: string;
}

/** Finds the methods with `@Subscribe` of an application: of providers and of controllers, inherited ones included. */
@Injectable()
export class HandlerDiscovery {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
  ) {}

  find(): FoundHandler[] {
    const seen = new Set<object>();
    return [...this.discovery.getProviders(), ...this.discovery.getControllers()].flatMap((wrapper) => {
      const instance: unknown = wrapper.isAlias ? undefined : wrapper.instance;
      // The same instance may be there by several tokens.
      if (typeof instance !== 'object' || instance === null || seen.has(instance)) return [];
      seen.add(instance);
      return this.#handlersOf(wrapper, instance);
    });
  }

  #handlersOf(wrapper: InstanceWrapper, instance: object): FoundHandler[] {
    const prototype = Object.getPrototypeOf(instance) as Record<string, object> | null;
    // Its list is the same array each time.
    return [...this.scanner.getAllMethodNames(prototype)].flatMap((method) => {
      const handlings = handlingsOf(prototype![method]!);
      return handlings.map((handling) => ({ ...handling, method, host: new HandlerHost(wrapper, instance) }));
    });
  }
}
