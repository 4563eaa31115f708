import { ContextIdFactory, ModuleRef, type DiscoveryService } from '@nestjs/core';

/** As the container has a provider or controller. */
export type InstanceWrapper = ReturnType<DiscoveryService['getProviders']>[number];

type Methods = Record<string, (...parameters: unknown[]) => unknown>;

/** A provider or controller whose methods handle events. */
export class HandlerHost {
  readonly #wrapper: InstanceWrapper;
  /** Without what is injected, where each event gets one of its own. */
  readonly #instance: Methods;
  readonly #isShared: boolean;

  constructor(wrapper: InstanceWrapper, instance: object) {
    this.#wrapper = wrapper;
    this.#instance = instance as Methods;
    this.#isShared = wrapper.isDependencyTreeStatic() && !wrapper.isTransient;
  }

  /** Of its class. */
  get name(): string {
    return this.#instance.constructor.name;
  }

  has(method: string): boolean {
    return typeof this.#instance[method] === 'function';
  }

  /** What calls a method with two parameters, on an instance of its own for each call if its class is not default-scoped. */
  caller(method: string): (first: unknown, context?: object) => unknown {
    const instance = this.#instance;
    // The method is looked up at each call: it may be spied on.
    if (this.#isShared) return (first, context) => instance[method]!(first, context);
    return async (first, context) => {
      const own = await this.#resolve(context ?? (first as object));
      return own[method]!(first, context);
    };
  }

  /** @param request what is injected as `REQUEST`, and what a durable provider's context is chosen by */
  async #resolve(request: object): Promise<Methods> {
    const { token, host } = this.#wrapper;
    // That of its own module: others may have the same token.
    const moduleRef = host!.getProviderByKey<ModuleRef>(ModuleRef).instance;
    const contextId = ContextIdFactory.getByRequest(request);
    moduleRef.registerRequestByContextId(request, contextId);
    return moduleRef.resolve<Methods>(token as string, contextId);
  }
}
