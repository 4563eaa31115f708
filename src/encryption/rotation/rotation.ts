import { KeyWalk, type Page } from '../../keyspace/key-walk.js';
import { Patience } from '../../keyspace/patience.js';
import { Sweep, type SweepEnd } from '../../keyspace/sweep.js';
import { withEach } from '../../keyspace/work-limit.js';
import { LimitedWarnings } from '../../logging/limited-warnings.js';
import { RedisError } from '../../redis/index.js';
import { logger } from '../encryption-logger.js';
import type { EncryptionParts } from '../encryption-parts.js';
import { KeyReader, type KeyVisitor } from './key-reader.js';
import { Renewal } from './renewal.js';
import {
  resolveRotationOptions,
  resolveSweepOptions,
  type ResolvedRotationOptions,
  type ResolvedSweepOptions,
} from './resolve-rotation-options.js';
import { readResume, writeResume, type ResumePoint, type RotationSubject } from './resume-token.js';
import type { RotationOptions, RotationProgress, SweepOptions } from './rotation-options.js';
import type { KeyUsageReport, RotationReport } from './rotation-report.js';
import { SweepProgress } from './sweep-progress.js';
import { UsageCount } from './usage-count.js';

/** How often a Cluster is walked through at most, while its slots are moved. */
const ROUNDS = 3;

/** What a sweep is made with. */
interface SweepPlan {
  readonly options: ResolvedSweepOptions;
  readonly phase: RotationProgress['phase'];
  readonly patience: Patience;
  readonly visitorOf: (server: string) => KeyVisitor;
  readonly reencrypted: () => number;
  readonly from?: ResumePoint | undefined;
}

/** Walks through the keys of a namespace, and encrypts anew what is under other keys than the primary one. */
export class Rotation {
  readonly #parts: EncryptionParts;
  readonly #namespace: string;
  readonly #waitFor: number | undefined;
  readonly #warnings = new LimitedWarnings((message) => logger.warn(message));

  /** @param waitFor milliseconds that it waits for Redis where that is away. @default a minute */
  constructor(parts: EncryptionParts, namespace: string, waitFor?: number) {
    this.#parts = parts;
    this.#namespace = namespace;
    this.#waitFor = waitFor;
  }

  /**
   * Errors of single values are counted and warned of, and do not end it. It waits for Redis for about a minute where that is away. With each
   * RedisError that ends it, it resolves: the report has it as `failure`, and says where to go on.
   *
   * @throws EncryptionConfigurationError; what `contextOf` throws
   */
  async rotate(options: RotationOptions = {}): Promise<RotationReport> {
    const resolved = resolveRotationOptions(options, this.#parts.options);
    const subject = this.#subjectOf(resolved);
    const from = resolved.resume === undefined ? undefined : readResume(resolved.resume, subject);
    const patience = this.#patience(resolved);
    const renewal = new Renewal({
      parts: this.#parts,
      options: resolved,
      patience,
      warnings: this.#warnings,
    });
    const reencrypted = (): number => renewal.counts.reencrypted;
    const visitorOf = (): KeyVisitor => renewal;
    const { sweep, walk } = this.#plan({
      options: resolved,
      phase: 'rotating',
      patience,
      visitorOf,
      reencrypted,
      from,
    });
    const rotated = await orFailure<SweepEnd>(() => sweep.run(ROUNDS), { completed: false });
    const { completed, doubt } = rotated.result;
    const counted = completed ? await this.#tryToCount(resolved, reencrypted) : undefined;
    const report: RotationReport = {
      completed,
      resume: completed
        ? undefined
        : writeResume(subject, { slots: sweep.slots, cursors: [...walk.cursors] }),
      failure: resolved.signal?.aborted ? undefined : (rotated.failure ?? doubt ?? counted?.failure),
      ...renewal.counts,
      usage: counted?.result,
    };
    this.#tell(report);
    return report;
  }

  /** @throws EncryptionConfigurationError; RedisError; the reason of the signal */
  async count(options: SweepOptions = {}): Promise<KeyUsageReport> {
    const resolved = resolveSweepOptions(options);
    const { result, failure } = await this.#tryToCount(resolved, () => 0);
    if (result) return result;
    throw resolved.signal?.aborted ? resolved.signal.reason : failure;
  }

  #tryToCount(
    options: ResolvedSweepOptions,
    reencrypted: () => number,
  ): Promise<Attempt<KeyUsageReport | undefined>> {
    return orFailure(() => this.#count(options, reencrypted), undefined);
  }

  /** @returns undefined where it was stopped */
  async #count(
    options: ResolvedSweepOptions,
    reencrypted: () => number,
  ): Promise<KeyUsageReport | undefined> {
    const usage = new UsageCount();
    const patience = this.#patience(options);
    const visitorOf = (server: string): KeyVisitor => usage.of(server);
    const { sweep, walk } = this.#plan({ options, phase: 'counting', patience, visitorOf, reencrypted });
    const { completed, doubt } = await sweep.run(1);
    if (!completed && !doubt) return undefined;
    if (doubt)
      this.#warnings.warn('doubt', `No key of '${this.#namespace}' is told to be unused: ${doubt.message}`);
    return usage.report(this.#parts.options.ring, walk.present, completed && options.match === '*');
  }

  #plan({ options, phase, patience, visitorOf, reencrypted, from }: SweepPlan): {
    sweep: Sweep;
    walk: KeyWalk;
  } {
    const { connection } = this.#parts;
    const namespace = this.#namespace;
    const progress = new SweepProgress({
      phase,
      onProgress: options.onProgress,
      reencrypted,
      warnings: this.#warnings,
      topology: connection.topology,
    });
    // A namespace has no character that a pattern gives a meaning to.
    const walk = new KeyWalk(connection, `${namespace}:${options.match}`, { cursors: from?.cursors });
    const { signal } = options;
    const reader = new KeyReader({
      connection,
      namespace,
      patience,
      signal,
      onFields: () => progress.tell(),
    });
    const isStopped = (): boolean => signal?.aborted === true;
    const work = async ({ keys, server }: Page): Promise<'done'> => {
      const visitor = visitorOf(server);
      await withEach(keys, options, (key) => reader.visit(key.toString(), visitor));
      return 'done';
    };
    const sweep = new Sweep({ connection, patience, walk, progress, isStopped, work }, from?.slots);
    return { sweep, walk };
  }

  #subjectOf({ match, plaintext }: ResolvedRotationOptions): RotationSubject {
    return { namespace: this.#namespace, match, plaintext, to: this.#parts.options.ring.primary.name };
  }

  #patience({ signal }: ResolvedSweepOptions): Patience {
    return new Patience(this.#parts.connection, signal, this.#waitFor);
  }

  #tell(report: RotationReport): void {
    const { completed, reencrypted, refused, indexEntriesLeft, failure, usage } = report;
    const end = completed ? 'is complete' : failure ? `could not go on: ${failure.message}` : 'was stopped';
    const removable = usage?.removable.length ? `; unused keys: ${usage.removable.join(', ')}` : '';
    const left = indexEntriesLeft > 0 ? `, ${indexEntriesLeft} index entries left` : '';
    logger.log(
      `The rotation of '${this.#namespace}' ${end}: ${reencrypted} encrypted anew, ${refused} refused${left}${removable}`,
    );
    this.#parts.events.publish('rotated', { namespace: this.#namespace, report });
  }
}

interface Attempt<T> {
  readonly result: T;
  readonly failure?: RedisError;
}

/** @param otherwise the result where Redis was away for too long, or refuses something */
async function orFailure<T>(work: () => Promise<T>, otherwise: T): Promise<Attempt<T>> {
  try {
    return { result: await work() };
  } catch (error) {
    if (error instanceof RedisError) return { result: otherwise, failure: error };
    throw error;
  }
}
