import { PickType } from '@nestjs/swagger';
import { City } from '../city.dto.js';

/** The city that was visited. */
export class LiveView extends PickType(City, ['id', 'name', 'country', 'population'] as const) {}
