import { Req, Res, type PipeTransform, type Type } from '@nestjs/common';

/** Nest's own metadata keys; the packages export them for each other only, and not from the same place in 11 and 12. */
const ROUTE_ARGUMENTS = '__routeArguments__';
const PASSTHROUGH = '__responsePassthrough__';

/** `RouteParamtypes` of Nest: the first part of a route argument's key, `5:0`. Parameter decorators of the application's have others. */
const KINDS: Readonly<Record<string, RouteArgumentKind>> = {
  0: 'request',
  1: 'response',
  2: 'response', // @Next(): who takes it answers by himself, too
  4: 'text', // @Query()
  5: 'text', // @Param()
  6: 'request', // @Headers()
  7: 'request', // @Session()
  10: 'request', // @HostParam()
  11: 'request', // @Ip()
};

/** What a parameter of a handler is given: something of the request as it is; text of the URL, which pipes may change. */
type RouteArgumentKind = 'request' | 'response' | 'text' | 'other';

/** What is known of a parameter under its key. */
type Entries = Readonly<Record<string, Pick<RouteArgument, 'index'> & Partial<RouteArgument>>>;

export interface RouteArgument {
  readonly index: number;
  readonly kind: RouteArgumentKind;
  readonly pipes: readonly (Type<PipeTransform> | PipeTransform)[];
}

/** The parameters of a handler that have a decorator. */
export function routeArguments(controller: object, method: string | symbol): RouteArgument[] {
  return Object.entries(entriesOf(controller, method)).map(([key, { index, pipes = [] }]) => {
    const kind = KINDS[key.slice(0, key.indexOf(':'))] ?? 'other';
    return { index, kind, pipes };
  });
}

/** Whether a handler answers by itself (`@Res()` without passthrough), and Nest does not. */
export function answersItself(controller: object, method: string | symbol): boolean {
  const takesResponse = routeArguments(controller, method).some(({ kind }) => kind === 'response');
  return takesResponse && Reflect.getMetadata(PASSTHROUGH, controller, method) !== true;
}

/** What {@link addExchange} has changed, on the class that has the handler. */
export interface AddedExchange {
  readonly entries: ReadonlySet<object>;
  /** What the class has said of passthrough before. */
  readonly passthrough: unknown;
}

/**
 * Has Nest give a handler response and request, at `index` and after it: not in the order in which a handler that has both would pass them on.
 * Nest goes on to answer where it did.
 */
export function addExchange(prototype: object, method: string | symbol, index: number): AddedExchange {
  const controller = prototype.constructor;
  const passthrough = Reflect.getMetadata(PASSTHROUGH, controller, method) as unknown;
  const before = new Set<object>(Object.values(entriesOf(controller, method)));
  Res(answersItself(controller, method) ? undefined : { passthrough: true })(prototype, method, index);
  Req()(prototype, method, index + 1);
  const entries = Object.values(entriesOf(controller, method)).filter((entry) => !before.has(entry));
  return { entries: new Set(entries), passthrough };
}

/**
 * Gives a class that overrides a handler metadata of its own, which are those that it has without {@link addExchange}: Nest looks for them by
 * the name of the method, in the classes that a class extends as well.
 *
 * @param added undefined where nothing was, so far
 */
export function keepApart(
  controller: object,
  method: string | symbol,
  added: AddedExchange | undefined,
): void {
  const known = Object.entries(entriesOf(controller, method));
  const kept = known.filter(([, entry]) => !added?.entries.has(entry));
  // For other transports, none is another thing than an empty object.
  const metadata = kept.length > 0 ? Object.fromEntries(kept) : undefined;
  Reflect.defineMetadata(ROUTE_ARGUMENTS, metadata, controller, method);
  if (Reflect.hasOwnMetadata(PASSTHROUGH, controller, method)) return;
  const passthrough = added
    ? added.passthrough
    : (Reflect.getMetadata(PASSTHROUGH, controller, method) as unknown);
  Reflect.defineMetadata(PASSTHROUGH, passthrough, controller, method);
}

function entriesOf(controller: object, method: string | symbol): Entries {
  return (Reflect.getMetadata(ROUTE_ARGUMENTS, controller, method) ?? {}) as Entries;
}
