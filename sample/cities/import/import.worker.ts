import { OnWorkerEvent, Processor, WorkerHost } from '@nestjs/bullmq';
import { Logger } from '@nestjs/common';
import type { Job } from 'bullmq';
import { toRedisError } from 'rednest';
import { CitiesImportService } from './cities-import.service.js';
import { IMPORT_QUEUE, type ImportProgress, type ImportResult } from './import.queue.js';

/** Does the imports that are in the queue, one at a time. */
@Processor(IMPORT_QUEUE)
export class ImportWorker extends WorkerHost {
  readonly #imports: CitiesImportService;
  readonly #logger = new Logger(ImportWorker.name);

  constructor(imports: CitiesImportService) {
    super();
    this.#imports = imports;
  }

  override process(job: Job): Promise<ImportResult> {
    return this.#imports.refresh((progress: ImportProgress) => job.updateProgress(progress));
  }

  @OnWorkerEvent('failed')
  onFailed(job: Job | undefined, error: Error): void {
    this.#logger.error(`Import ${job?.id} has failed: ${error.message}`);
  }

  /** Without it BullMQ would write to the console. That Redis is away, the connection has said. */
  @OnWorkerEvent('error')
  onError(error: Error): void {
    if (!toRedisError(error)) this.#logger.error(error.message);
  }
}
