import type { SessionData } from 'express-session';

/**
 * Milliseconds until the cookie expires, not more than 0 where it has; undefined where it does not say when.
 *
 * @param session one in use, or one as it was stored, with dates as text
 */
export function untilExpiry({ cookie }: Partial<SessionData>): number | undefined {
  const expires: unknown = cookie?.expires;
  if (!(expires instanceof Date) && typeof expires !== 'string') return undefined;
  const left = new Date(expires).getTime() - Date.now();
  return Number.isNaN(left) ? undefined : Math.ceil(left);
}

/**
 * `touch` prolongs the key, and not what is written in it: a session that is there and looks expired was touched. With its old expiry, one that
 * the application saves by itself would be destroyed.
 */
export function prolongTouched(session: SessionData): SessionData {
  const { originalMaxAge } = session.cookie;
  const left = untilExpiry(session);
  if (left !== undefined && left <= 0 && typeof originalMaxAge === 'number')
    session.cookie.expires = new Date(Date.now() + originalMaxAge);
  return session;
}
