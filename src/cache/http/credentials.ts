import type { IncomingHttpHeaders } from 'node:http';

/** Headers by which a request says who asks. */
export const CREDENTIAL_HEADERS = [
  'authorization',
  'cookie',
  'proxy-authorization',
  'x-api-key',
  'x-auth-token',
  'x-access-token',
] as const;

/** What tells of a request who asks. */
export interface IdentifiedRequest {
  readonly headers: IncomingHttpHeaders;
  /** Put there by a guard or a middleware that knows the user, by whatever means. */
  readonly user?: unknown;
}

/**
 * Whether a request says who asks, so that its response may be for that user alone.
 *
 * @param keyed lower-case names of headers that are part of the key, and so do not count
 */
export function hasCredentials(request: IdentifiedRequest, keyed: readonly string[] = []): boolean {
  if (hasUser(request)) return true;
  const { headers } = request;
  for (const name of CREDENTIAL_HEADERS)
    if (headers[name] !== undefined && !keyed.includes(name)) return true;
  return false;
}

export function hasUser({ user }: IdentifiedRequest): boolean {
  return user !== undefined && user !== null;
}
