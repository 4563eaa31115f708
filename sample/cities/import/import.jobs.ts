import { Injectable, NotFoundException, type OnApplicationBootstrap } from '@nestjs/common';
import { InjectQueue } from '@nestjs/bullmq';
import type { Job, JobsOptions, JobState, Queue } from 'bullmq';
import { InjectRedisConnection, type RedisConnection } from 'rednest';
import type { Import } from './import.dto.js';
import { IMPORT_QUEUE, NIGHTLY, type ImportProgress, type ImportResult } from './import.queue.js';

type ImportJob = Job<unknown, ImportResult>;

/** How long a request waits for a connection, in milliseconds. */
const PATIENCE = 500;

const WEEK = 7 * 24 * 3_600;

/** Three tries, the later ones after half a minute and a minute. What has ended can be asked for a week, in seconds. */
const JOB_OPTIONS: JobsOptions = {
  attempts: 3,
  backoff: { type: 'exponential', delay: 30_000 },
  removeOnComplete: { age: WEEK },
  removeOnFail: { age: WEEK },
};

/** What the states of BullMQ are to who asks; the others are all of them some kind of waiting. */
const STATES: Partial<Record<JobState | 'unknown', Import['state']>> = {
  active: 'active',
  completed: 'done',
  failed: 'failed',
};

/** Imports as jobs: one every night, and whenever somebody asks for one. */
@Injectable()
export class ImportJobs implements OnApplicationBootstrap {
  readonly #queue: Queue<unknown, ImportResult>;
  readonly #connection: RedisConnection;

  constructor(
    @InjectQueue(IMPORT_QUEUE) queue: Queue<unknown, ImportResult>,
    @InjectRedisConnection() connection: RedisConnection,
  ) {
    this.#queue = queue;
    this.#connection = connection;
    // The connection has said so in the log; without a listener, BullMQ would write to the console.
    queue.on('error', () => undefined);
  }

  /** All replicas say the same, and there is one job a night. */
  async onApplicationBootstrap(): Promise<void> {
    await this.#queue.upsertJobScheduler(
      NIGHTLY,
      { pattern: '0 3 * * *', tz: 'UTC' },
      { name: NIGHTLY, opts: JOB_OPTIONS },
    );
  }

  /** The one that waits or runs, where there is one. @throws RedisUnavailableError */
  async add(): Promise<Import> {
    await this.#checkRedis();
    return describe(
      await this.#queue.add('asked-for', undefined, { ...JOB_OPTIONS, deduplication: { id: IMPORT_QUEUE } }),
    );
  }

  /** @throws NotFoundException; RedisUnavailableError */
  async findOne(id: string): Promise<Import> {
    await this.#checkRedis();
    const job = await this.#queue.getJob(id);
    if (!job) throw new NotFoundException(`There is no import ${id}`);
    return describe(job);
  }

  /** BullMQ would wait until Redis is back, and who asks with it. */
  #checkRedis(): Promise<void> {
    return this.#connection.whenReady(PATIENCE);
  }
}

async function describe(job: ImportJob): Promise<Import> {
  const { done = 0, total } = job.progress as Partial<ImportProgress>;
  const state = STATES[await job.getState()] ?? 'queued';
  return { id: job.id!, state, done, ...(total !== undefined && { total }) };
}
