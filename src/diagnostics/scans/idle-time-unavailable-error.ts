/**
 * How long keys were not used is not known, or not known well enough to remove them.
 *
 * - `reason: 'policy'`: under an LFU policy (`maxmemory-policy`), the server records how often keys are used in its place.
 * - `'replication'`: the server is a replica, or there was replication, so that it may have taken over from another: of reads from that one it
 *   knows nothing.
 * - `'replica reads'`: the connection reads from replicas (`scaleReads`), of which masters learn nothing.
 * - `'persistence'`: the last snapshot, or rewrite of the append-only file, took as long as `idleFor`: the server notes no use of keys meanwhile.
 */
export class IdleTimeUnavailableError extends Error {
  readonly code = 'INSPECTION_IDLE_TIME_UNAVAILABLE';
  readonly reason: 'policy' | 'replication' | 'replica reads' | 'persistence';

  constructor(message: string, { reason, ...options }: IdleTimeUnavailableErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.reason = reason;
  }
}

interface IdleTimeUnavailableErrorOptions extends ErrorOptions {
  readonly reason: IdleTimeUnavailableError['reason'];
}
