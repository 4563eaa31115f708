import { Module } from '@nestjs/common';
import { CitiesController } from './cities.controller.js';
import { CitiesService } from './cities.service.js';
import { CityUpdateService } from './city-update.service.js';
import { CitiesImportService } from './import/cities-import.service.js';
import { CitySource } from './import/city-source.js';
import { TagsController } from './tags/tags.controller.js';
import { TagsService } from './tags/tags.service.js';
import { RankingService } from './visits/ranking.service.js';
import { VisitsController } from './visits/visits.controller.js';
import { VisitsService } from './visits/visits.service.js';

@Module({
  // In this order: `cities/top` and `cities/tagged` have to be looked at before `cities/:id`.
  controllers: [VisitsController, TagsController, CitiesController],
  providers: [
    CitiesImportService,
    CitiesService,
    CityUpdateService,
    CitySource,
    RankingService,
    TagsService,
    VisitsService,
  ],
  exports: [CitiesService],
})
export class CitiesModule {}
