import { type CacheService } from '../cache.service.js';
import { DEFAULT_CACHE, getCacheToken } from '../cache.tokens.js';
import { CacheNotInjectedError } from './cache-not-injected-error.js';
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

/** One call of a decorated method. */
export interface MethodCall<F extends AsyncMethod> {
  readonly cache: CacheService;
  readonly args: Parameters<F>;
  /** Runs the method itself. */
  readonly proceed: () => Promise<Resolved<F>>;
}

/** Does what the decorator promises for a call. */
export type Around<F extends AsyncMethod> = (call: MethodCall<F>) => Promise<unknown>;

interface Decoration<F extends AsyncMethod> {
  /** As it is written: `@Cacheable`. */
  readonly decorator: string;
  readonly cache?: string | undefined;
  /** Checks the options and prepares what runs at each call. */
  readonly prepare: (place: Place) => Around<F>;
}

/** Where a decorator stands. */
export interface Place {
  /** For messages: `@Cacheable on CitiesService.findOne`. */
  readonly subject: string;
  /** Prototype of the class. */
  readonly target: object;
  readonly property: string | symbol;
}

/** Wraps a method, with the cache that Nest injects into its instance. */
export function decorateMethod<F extends AsyncMethod>({
  decorator,
  cache = DEFAULT_CACHE,
  prepare,
}: Decoration<F>): MethodDecoratorFor<F> {
  return (target, property, descriptor) => {
    const subject = `${decorator} on ${nameOf(target)}.${String(property)}`;
    const method = descriptor?.value;
    if (typeof target === 'function') throw new TypeError(`${subject}: a static method cannot have a cache`);
    if (typeof method !== 'function') throw new TypeError(`${subject}: this is not a method`);
    const service = Symbol.for(`rednest:cache:${cache}`);
    injectService(target, service, getCacheToken(cache));
    descriptor.value = standIn(
      method,
      wrap(method, { service, subject, around: prepare({ subject, target, property }) }),
    ) as F;
  };
}

interface Wrapping<F extends AsyncMethod> {
  readonly service: symbol;
  readonly subject: string;
  readonly around: Around<F>;
}

/** Not an async function: a hit would wait for three more turns of the microtask queue. */
function wrap<F extends AsyncMethod>(method: F, { service, subject, around }: Wrapping<F>) {
  return function (this: Record<symbol, CacheService | undefined>, ...args: Parameters<F>) {
    try {
      const cache = this?.[service];
      if (!cache) throw new CacheNotInjectedError(subject);
      // Within a promise, so that a method which throws at once rejects as an async one does.
      const proceed = async (): Promise<Resolved<F>> =>
        (await Reflect.apply(method, this, args)) as Resolved<F>;
      return around({ cache, args, proceed });
    } catch (error) {
      return Promise.reject(error);
    }
  };
}

/** Gives a wrapper all that others look for on a method: routes, guards, schedules and the like are metadata of the function. */
function standIn(method: object, wrapper: object): object {
  for (const key of Reflect.getOwnMetadataKeys(method) as unknown[])
    Reflect.defineMetadata(key, Reflect.getOwnMetadata(key, method), wrapper);
  for (const name of ['name', 'length'])
    Object.defineProperty(wrapper, name, Object.getOwnPropertyDescriptor(method, name) ?? {});
  return wrapper;
}

function nameOf(target: object): string {
  return typeof target === 'function' ? target.name : target.constructor.name;
}
