/** Complete and checked. Durations are milliseconds. */
export interface ResolvedLockOptions {
  readonly ttl: number;
  readonly wait: number;
  readonly renew: boolean;
  readonly signal: AbortSignal | undefined;
  readonly reentrant: boolean;
  /** `Infinity` for no limit. */
  readonly atMostFor: number;
  readonly atLeastFor: number;
}

export interface ResolvedRootOptions {
  readonly namespace: string;
  readonly timeout: number;
  readonly onShutdown: 'release' | 'expire';
  readonly holder: string;
  /** Where an acquisition says nothing else. */
  readonly defaults: ResolvedLockOptions;
}
