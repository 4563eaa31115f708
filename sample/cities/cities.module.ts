import { BullModule } from '@nestjs/bullmq';
import { Module } from '@nestjs/common';
import { CitiesController } from './cities.controller.js';
import { CitiesService } from './cities.service.js';
import { CityUpdateService } from './city-update.service.js';
import { CitiesImportService } from './import/cities-import.service.js';
import { CitySource } from './import/city-source.js';
import { ImportController } from './import/import.controller.js';
import { ImportJobs } from './import/import.jobs.js';
import { IMPORT_QUEUE } from './import/import.queue.js';
import { ImportWorker } from './import/import.worker.js';
import { KnownCities } from './live/known-cities.js';
import { LiveController } from './live/live.controller.js';
import { LiveFeed } from './live/live-feed.js';
import { TagsController } from './tags/tags.controller.js';
import { TagsService } from './tags/tags.service.js';
import { RankingService } from './visits/ranking.service.js';
import { VisitCounter } from './visits/visit-counter.js';
import { VisitsController } from './visits/visits.controller.js';
import { VisitsService } from './visits/visits.service.js';

@Module({
  imports: [BullModule.registerQueue({ name: IMPORT_QUEUE })],
  // In this order: `cities/live`, `cities/top` and `cities/tagged` have to be looked at before `cities/:id`.
  controllers: [LiveController, VisitsController, TagsController, CitiesController, ImportController],
  providers: [
    CitiesImportService,
    CitiesService,
    CityUpdateService,
    CitySource,
    ImportJobs,
    ImportWorker,
    KnownCities,
    LiveFeed,
    RankingService,
    TagsService,
    VisitCounter,
    VisitsService,
  ],
  exports: [CitiesService],
})
export class CitiesModule {}
