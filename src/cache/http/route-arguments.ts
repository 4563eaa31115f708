import type { PipeTransform, Type } from '@nestjs/common';

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

export interface RouteArgument {
  readonly index: number;
  readonly kind: RouteArgumentKind;
  readonly pipes: readonly (Type<PipeTransform> | PipeTransform)[];
}

/** The parameters of a handler that have a decorator. */
export function routeArguments(controller: object, method: string | symbol): RouteArgument[] {
  const known = (Reflect.getMetadata(ROUTE_ARGUMENTS, controller, method) ?? {}) as Readonly<
    Record<string, Pick<RouteArgument, 'index'> & Partial<RouteArgument>>
  >;
  return Object.entries(known).map(([key, { index, pipes = [] }]) => {
    const kind = KINDS[key.slice(0, key.indexOf(':'))] ?? 'other';
    return { index, kind, pipes };
  });
}

/** Whether a handler answers by itself (`@Res()` without passthrough), and Nest does not. */
export function answersItself(controller: object, method: string | symbol): boolean {
  const takesResponse = routeArguments(controller, method).some(({ kind }) => kind === 'response');
  return takesResponse && Reflect.getMetadata(PASSTHROUGH, controller, method) !== true;
}
