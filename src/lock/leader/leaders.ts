import type { LockEngine } from '../lock-engine.js';
import { Candidacy } from './candidacy.js';
import { Leader } from './leader.js';
import { resolveLeaderOptions, type LeaderOptions, type ResolvedLeaderOptions } from './leader-options.js';

/** The leaders of an application, so that all hand over when it shuts down. */
export class Leaders {
  readonly engine: LockEngine;
  readonly #running = new Set<Candidacy>();
  #isClosed = false;

  constructor(engine: LockEngine) {
    this.engine = engine;
  }

  /** @throws LockConfigurationError */
  leader(name: string, options: LeaderOptions = {}): Leader {
    const { defaults } = this.engine.options;
    return new Leader(this, name, resolveLeaderOptions(`Leader '${name}'`, options, defaults));
  }

  /** One that is kept until it is removed. */
  add(name: string, options: ResolvedLeaderOptions): Candidacy {
    const candidacy = new Candidacy(this.engine, this.engine.resources.lock(`leader:${name}`), options);
    this.#running.add(candidacy);
    if (this.#isClosed) void candidacy.shutDown();
    return candidacy;
  }

  remove(candidacy: Candidacy): void {
    this.#running.delete(candidacy);
  }

  /** Ends all terms, and lets nobody stand for election any more. Resolves when others may lead. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all(Array.from(this.#running, (candidacy) => candidacy.shutDown()));
  }
}
