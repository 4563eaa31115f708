import { tryAgainUntil } from '../../timing/backoff.js';
import type { LockServer } from '../server/lock-server.js';
import type { Hold } from './hold.js';

/**
 * Gives a resource up; what is to be held for at least some time stays taken for the rest of it.
 *
 * @returns whether it was held
 * @throws RedisError
 */
export function letGo(server: LockServer, hold: Hold): Promise<boolean> {
  const now = performance.now();
  if (hold.keepUntil <= now) return server.release(hold.resource.keys, hold.token);
  const rest = Math.ceil(hold.keepUntil - now);
  return server.renew([{ ...hold.renewal(now), ttl: rest }]).then(([isHeld]) => isHeld!);
}

/** After it has failed. A failover or a short outage shall neither keep others out for longer than was meant, nor let them in before. */
export function letGoLater(server: LockServer, hold: Hold): void {
  void tryAgainUntil(hold.deadline, () => letGo(server, hold));
}

/** As {@link letGo}, told to nobody, and tried again. */
export function letGoSoon(server: LockServer, hold: Hold): void {
  letGo(server, hold).catch(() => letGoLater(server, hold));
}
