import { RedisError } from '../../redis/index.js';
import type { LockServer } from '../server/lock-server.js';
import type { Resource } from '../server/resource.js';
import type { LeaseKeeper } from '../lease/lease-keeper.js';
import { LockUnavailableError } from '../lock-errors.js';
import type { LockEventPublisher } from '../lock-events.js';
import { logger } from '../lock-logger.js';
import {
  holderName,
  inspectionOf,
  kindOf,
  modeOf,
  type HeldResource,
  type LockInspection,
} from './lock-inspection.js';

/** Who lost a resource when it was released by force. */
export interface RevokedHolder {
  /** The process that held it. */
  readonly holder: string;
  readonly token: string;
  readonly fence: number;
}

interface Parts {
  readonly server: LockServer;
  readonly keeper: LeaseKeeper;
  readonly events: LockEventPublisher;
}

/** What an operator sees of the locks, and does to them. */
export class LockInspector {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** @throws LockUnavailableError */
  async inspect(resource: Resource): Promise<LockInspection> {
    return inspectionOf(resource, await asked(resource, this.#parts.server.inspect(resource)));
  }

  held(): HeldResource[] {
    return this.#parts.keeper.held().map(({ resource, fence, remaining, since }) => ({
      resource: resource.name,
      kind: kindOf(resource),
      mode: modeOf(resource, resource.weight),
      fence,
      remaining,
      heldFor: performance.now() - since,
    }));
  }

  /** @throws LockUnavailableError */
  async forceRelease(resource: Resource, reason: string): Promise<RevokedHolder[]> {
    const { server, keeper, events } = this.#parts;
    const revoked = await asked(resource, server.revoke(resource));
    const holders = revoked.map(({ token, fence }) => ({ holder: holderName(token), token, fence }));
    const by = server.process;
    logger.warn(auditLine(resource.name, holders, { by, reason }));
    events.publish('revoked', { resource: resource.name, holders, by, reason });
    // Others are told by push; those of this process may not listen.
    for (const { token } of holders) keeper.revoke(token);
    return holders;
  }
}

async function asked<T>({ name }: Resource, reply: Promise<T>): Promise<T> {
  try {
    return await reply;
  } catch (error) {
    throw error instanceof RedisError ? new LockUnavailableError(name, error) : error;
  }
}

function auditLine(
  resource: string,
  holders: readonly RevokedHolder[],
  { by, reason }: { by: string; reason: string },
): string {
  const list = holders.map(({ token, fence }) => `${token} with fence ${fence}`).join(', ');
  // As JSON a reason keeps to its line.
  return `'${resource}' was released by force by ${by}, because ${JSON.stringify(reason)}; held by ${list || 'nobody'}`;
}
