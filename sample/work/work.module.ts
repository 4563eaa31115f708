import { Module } from '@nestjs/common';
import { CitiesModule } from '../cities/cities.module.js';
import { WorkEvents } from './work-events.js';
import { WorkQueue } from './work-queue.js';
import { WorkController } from './work.controller.js';
import { WorkService } from './work.service.js';
import { WorkWorker } from './work.worker.js';

@Module({
  imports: [CitiesModule],
  controllers: [WorkController],
  providers: [WorkEvents, WorkQueue, WorkService, WorkWorker],
})
export class WorkModule {}
