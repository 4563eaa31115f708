import { Inject, type InjectionToken } from '@nestjs/common';

/**
 * Has Nest inject a service into a property of the class, for a decorator of its methods. The property is a symbol, and not
 * enumerable in instances: it shows in no spread, comparison or serialisation.
 *
 * Property injection reaches what constructor injection cannot without the class's doing: subclasses with constructors of their own,
 * request-scoped instances, abstract bases. Nest itself reports a service that is missing, at the start.
 *
 * @param target prototype of the class
 */
export function injectService(target: object, property: symbol, token: InjectionToken): void {
  // Also in subclasses, which have the property by inheritance: some versions of Nest would inject it twice.
  if (property in target) return;
  Object.defineProperty(target, property, {
    configurable: true,
    get: () => undefined,
    set(this: object, value: unknown) {
      Object.defineProperty(this, property, { value, configurable: true, writable: true });
    },
  });
  Inject(token)(target, property);
}
