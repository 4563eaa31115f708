import type { InjectionToken } from '@nestjs/common';
import { injectService } from './inject-service.js';

/** What the decorators go on: a method that returns a promise. */
export type AsyncMethod = (...args: never[]) => Promise<unknown>;

/** What the promise of a method resolves to. */
export type Resolved<F extends AsyncMethod> = Awaited<ReturnType<F>>;

/** A decorator for methods of the type `F`. */
export type MethodDecoratorFor<F extends AsyncMethod> = (
  target: object,
  property: string | symbol,
  descriptor: TypedPropertyDescriptor<F>,
) => void;

/** What Nest injects into instances with a decorated method. */
export interface InjectedService {
  readonly token: InjectionToken;
  /** Where it is in the instance. */
  readonly property: symbol;
  /** For messages: `a cache`. */
  readonly title: string;
  /** Says that Nest did not build the instance. */
  readonly notInjected: (subject: string) => Error;
}

/** One call of a decorated method. */
export interface MethodCall<F extends AsyncMethod, Service> {
  readonly service: Service;
  readonly instance: object;
  readonly args: Parameters<F>;
  /** Runs the method itself. */
  readonly proceed: () => Promise<Resolved<F>>;
}

/** Does what the decorator promises for a call. */
export type Around<F extends AsyncMethod, Service> = (call: MethodCall<F, Service>) => Promise<unknown>;

interface Decoration<F extends AsyncMethod, Service> {
  /** As it is written: `@Cacheable`. */
  readonly decorator: string;
  readonly service: InjectedService;
  /** Checks the options and prepares what runs at each call. */
  readonly prepare: (place: Place) => Around<F, Service>;
}

/** Where a decorator stands. */
export interface Place {
  /** For messages: `@Cacheable on CitiesService.findOne`. */
  readonly subject: string;
  /** Prototype of the class. */
  readonly target: object;
  readonly property: string | symbol;
}

/** Wraps a method, with the service that Nest injects into its instance. */
export function decorateMethod<F extends AsyncMethod, Service extends object>({
  decorator,
  service,
  prepare,
}: Decoration<F, Service>): MethodDecoratorFor<F> {
  return (target, property, descriptor) => {
    const subject = `${decorator} on ${nameOf(target)}.${String(property)}`;
    const method = descriptor?.value;
    if (typeof target === 'function')
      throw new TypeError(`${subject}: a static method cannot have ${service.title}`);
    if (typeof method !== 'function') throw new TypeError(`${subject}: this is not a method`);
    injectService(target, service.property, service.token);
    const around = prepare({ subject, target, property });
    descriptor.value = standIn(method, wrap(method, { service, subject, around })) as F;
  };
}

interface Wrapping<F extends AsyncMethod, Service> {
  readonly service: InjectedService;
  readonly subject: string;
  readonly around: Around<F, Service>;
}

/** Not an async function: what has its result at once would wait for three more turns of the microtask queue. */
function wrap<F extends AsyncMethod, Service extends object>(
  method: F,
  { service: { property, notInjected }, subject, around }: Wrapping<F, Service>,
) {
  return function (this: Record<symbol, Service | undefined>, ...args: Parameters<F>) {
    try {
      const service = this?.[property];
      if (!service) throw notInjected(subject);
      // Within a promise, so that a method which throws at once rejects as an async one does.
      const proceed = async (): Promise<Resolved<F>> =>
        (await Reflect.apply(method, this, args)) as Resolved<F>;
      return around({ service, instance: this, args, proceed });
    } catch (error) {
      return Promise.reject(error);
    }
  };
}

/** Gives a wrapper all that others look for on a method: routes, guards, schedules and the like are metadata of the function. */
export function standIn<F extends object>(method: object, wrapper: F): F {
  for (const key of Reflect.getOwnMetadataKeys(method) as unknown[])
    Reflect.defineMetadata(key, Reflect.getOwnMetadata(key, method), wrapper);
  for (const name of ['name', 'length'])
    Object.defineProperty(wrapper, name, Object.getOwnPropertyDescriptor(method, name) ?? {});
  return wrapper;
}

function nameOf(target: object): string {
  return typeof target === 'function' ? target.name : target.constructor.name;
}
