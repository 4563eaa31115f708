import { Logger } from '@nestjs/common';
import { KeyWalk, type Page } from '../../keyspace/key-walk.js';
import { Patience } from '../../keyspace/patience.js';
import { Sweep, type SweepEnd, type SweepProgress } from '../../keyspace/sweep.js';
import { tellProgress } from '../../keyspace/tell-progress.js';
import { WalkProgress } from '../../keyspace/walk-progress.js';
import { LimitedWarnings } from '../../logging/limited-warnings.js';
import { RedisError, type RedisConnection } from '../../redis/index.js';
import { nodeName } from '../../redis/shared.js';
import type { Omission } from '../../inquiry/omission.js';
import { KeyQuestions, type Question } from './key-questions.js';
import { Pace } from './pace.js';
import type { ResolvedScanOptions } from './resolve-scan-options.js';
import type { ScanReport } from './scan-reports.js';

/** Keys that are told of, or asked of, in one trip: for as long, about 0.05 ms, the server answers nobody else. See bench/diagnostics.bench.ts. */
const BATCH = 50;

/** Only for whether a question may be asked. */
const NO_KEY = Buffer.from('rednest:no-such-key');

const logger = new Logger('RedisInspector');

/** What is to be found out. */
export interface ScanTask<Tally> {
  /** Of a server. */
  readonly newTally: () => Tally;
  /**
   * Looks at some keys. Called again with the same ones where Redis was away meanwhile.
   *
   * @returns notes what was found, for good
   */
  readonly look: (keys: readonly Buffer[], questions: KeyQuestions) => Promise<Note<Tally>>;
  /** Whether what a walk would throw ends it with a report in its place, without a `failure`: the task tells of it. @default no */
  readonly isReported?: (error: unknown) => boolean;
}

export type Note<Tally> = (tally: Tally) => void;

interface ServerTally<Tally> {
  readonly questions: KeyQuestions;
  readonly tally: Tally;
  scanned: number;
}

/** What was found on the servers that were there in the end. */
export interface ScanOutcome<Tally> extends ScanReport {
  readonly servers: readonly ServerTally<Tally>[];
}

/** Looks at all keys of all masters, in small batches that leave room for others. What was found is kept for each server apart: one that was restarted, or has failed, is replaced by one whose keys are all told anew. */
export class KeyScan<Tally> {
  readonly #connection: RedisConnection;
  readonly #options: ResolvedScanOptions;
  readonly #patience: Patience;
  readonly #pace = new Pace();
  readonly #warnings = new LimitedWarnings((message) => logger.warn(message));
  readonly #servers = new Map<string, ServerTally<Tally>>();
  readonly #omitted: Omission[] = [];
  /** Keys that were looked at, those of servers that are gone too. */
  #looked = 0;
  #isLimited = false;
  /** When the keys of the last page were looked at. */
  #idleSince = performance.now();

  /** @param patience milliseconds that it waits for Redis where that is away. @default a minute */
  constructor(connection: RedisConnection, options: ResolvedScanOptions, patience?: number) {
    this.#connection = connection;
    this.#options = options;
    this.#patience = new Patience(connection, options.signal, patience);
  }

  /** Asks what has to be known before. Waits for Redis for about a minute where that is away. @throws RedisError */
  before<T>(ask: () => Promise<T>): Promise<T> {
    return this.#patience.ask(ask);
  }

  /** Whether all masters answer a question; those that do not are noted. @throws RedisError */
  async isAnswered(question: Question): Promise<boolean> {
    const refused: Omission[] = [];
    await this.before(() => {
      const asked = this.#connection
        .masters()
        .map((master) => new KeyQuestions(master, nodeOf(this.#connection, master), refused))
        .map((questions) => questions.ask([[NO_KEY, [question]]]));
      return Promise.all(asked);
    });
    // That the user may not look at that key means nothing.
    const noted = refused.filter(({ part }) => part === question.part);
    this.#omitted.push(...noted);
    return noted.length === 0;
  }

  /**
   * Waits for Redis for about a minute where that is away, and then reports what was found until then.
   *
   * @throws RedisError where nothing was found yet, or something is refused that it cannot do without
   */
  async run(task: ScanTask<Tally>): Promise<ScanOutcome<Tally>> {
    const walk = new KeyWalk(this.#connection, this.#options.match, { pageSize: BATCH });
    const { completed, doubt } = await this.#walk(walk, task);
    const servers = walk.present.flatMap((server) => this.#servers.get(server) ?? []);
    return {
      servers,
      scanned: servers.reduce((sum, { scanned }) => sum + scanned, 0),
      complete: completed,
      failure: doubt,
      omitted: this.#omitted,
    };
  }

  async #walk(walk: KeyWalk, task: ScanTask<Tally>): Promise<SweepEnd> {
    const sweep = new Sweep({
      connection: this.#connection,
      patience: this.#patience,
      walk,
      progress: this.#progress(),
      isStopped: () => this.#isLimited || this.#isAborted,
      work: (page) => this.#work(page, task),
    });
    try {
      return await sweep.run(1);
    } catch (error) {
      if (error instanceof RedisError && error.retryable) {
        if (this.#isAborted) return { completed: false };
        if (this.#looked > 0) return { completed: false, doubt: error };
      }
      if (task.isReported?.(error)) return { completed: false };
      throw error;
    }
  }

  get #isAborted(): boolean {
    return this.#options.signal?.aborted === true;
  }

  async #work(page: Page, { newTally, look }: ScanTask<Tally>): Promise<'done' | 'again'> {
    const left = this.#options.limit - this.#looked;
    const keys = page.keys.slice(0, left);
    const server = this.#serverOf(page, newTally);
    const notes: Note<Tally>[] = [];
    let looked = 0;
    // To tell of the page is work too, also where none of its keys match.
    await this.#pace.rest(performance.now() - this.#idleSince);
    try {
      while (looked < keys.length && !this.#isAborted) {
        const batch = keys.slice(looked, looked + BATCH);
        notes.push(await this.#patiently(server.questions, (questions) => look(batch, questions)));
        looked += batch.length;
      }
    } catch (error) {
      if (error instanceof NodeGoneError) return 'again';
      throw error;
    } finally {
      this.#idleSince = performance.now();
    }
    // Not before: the page may have had to be asked for again.
    for (const note of notes) note(server.tally);
    server.scanned += looked;
    this.#looked += looked;
    this.#isLimited = page.keys.length > left;
    return 'done';
  }

  #patiently<T>(questions: KeyQuestions, look: (questions: KeyQuestions) => Promise<T>): Promise<T> {
    return this.#patience.ask(() => {
      // Its connection does not come back.
      if (!this.#connection.masters().includes(questions.master)) throw new NodeGoneError();
      return this.#pace.do(() => look(questions));
    });
  }

  #serverOf({ server, master }: Page, newTally: () => Tally): ServerTally<Tally> {
    const known = this.#servers.get(server);
    if (known?.questions.master === master) return known;
    const questions = new KeyQuestions(master, nodeOf(this.#connection, master), this.#omitted);
    const tally = { scanned: 0, tally: newTally(), ...known, questions };
    this.#servers.set(server, tally);
    return tally;
  }

  #progress(): SweepProgress {
    const walk = new WalkProgress(this.#connection.topology);
    const tell = (): void => {
      const { done, total } = walk;
      tellProgress(this.#options, { done, total }, (error) =>
        this.#warnings.warn('progress', `onProgress has failed, and the scan goes on: ${String(error)}`),
      );
    };
    return {
      begin: (total) => walk.begin(total),
      passed: (page) => {
        walk.passed(page);
        tell();
      },
      end: () => {
        walk.end();
        tell();
      },
    };
  }
}

/** The master is no longer one, or is connected to anew. */
class NodeGoneError extends Error {}

/** What a node is called: see {@link NodeFigures}. */
export function nodeOf({ topology, name }: RedisConnection, master: KeyQuestions['master']): string {
  return topology === 'cluster' ? nodeName(master.options) : name;
}
