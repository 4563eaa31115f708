import { Module } from '@nestjs/common';
import { ToursNightly } from './tours-nightly.service.js';
import { ToursController } from './tours.controller.js';
import { ToursService } from './tours.service.js';
import { ToursStore } from './tours.store.js';

@Module({ controllers: [ToursController], providers: [ToursNightly, ToursService, ToursStore] })
export class ToursModule {}
