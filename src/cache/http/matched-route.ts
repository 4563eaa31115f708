import type { HttpRequest } from './http-exchange.js';

/**
 * The route that a request has matched, as the framework knows it: two classes may have one name, and have only the routes to tell them
 * apart. Empty where the framework does not say.
 */
export function matchedRoute({ route, baseUrl, routeOptions }: HttpRequest): string {
  const path = routeOptions?.url ?? route?.path;
  return path === undefined ? '' : `${baseUrl ?? ''}${String(path)}`;
}
