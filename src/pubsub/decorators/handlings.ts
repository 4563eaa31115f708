import type { SubjectLike } from '../subscriptions/subject.js';
import type { SubscribeOptions } from './subscribe-options.js';

/** What one `@Subscribe` says. */
export interface Handling {
  readonly subject: SubjectLike;
  readonly options: SubscribeOptions;
}

const HANDLINGS = Symbol('rednest:subscribe');

/** Notes on a method what it handles; the first in the source is the first in the list. */
export function addHandling(method: object, handling: Handling): void {
  // Decorators are applied from the last to the first.
  Reflect.defineMetadata(HANDLINGS, [handling, ...handlingsOf(method)], method);
}

/** What a method handles. */
export function handlingsOf(method: object): readonly Handling[] {
  return (Reflect.getOwnMetadata(HANDLINGS, method) as Handling[] | undefined) ?? [];
}
