import { ApiProperty } from '@nestjs/swagger';
import { Limit } from '../../common/limit.js';
import { City } from '../city.dto.js';

export class TopQuery {
  @Limit({ maximum: 100, byDefault: 10 })
  limit = 10;
}

export class VisitedCity extends City {
  @ApiProperty({ example: 12, description: 'All visits that it ever had.' })
  visits!: number;
}

export class AcceptedVisit {
  @ApiProperty({ example: 2657896, description: 'The city.' })
  id!: number;

  @ApiProperty({ example: 'atlas-7-4f1c2a9b-1', description: 'By what name the visit is known as an event.' })
  view!: string;
}

export class VisitsOfDay {
  @ApiProperty({ example: '2026-11-30', description: 'In UTC.' })
  date!: string;

  @ApiProperty({ example: 3 })
  visits!: number;
}

export class VisitHistory {
  @ApiProperty({ example: 2657896 })
  id!: number;

  @ApiProperty({ example: 12, description: 'All visits that the city ever had.' })
  visits!: number;

  @ApiProperty({ type: [VisitsOfDay], description: 'The days with visits among the last 40, latest first.' })
  days!: VisitsOfDay[];
}

export class RankedCity extends City {
  @ApiProperty({ example: 3, description: 'Visits of the day.' })
  visits!: number;
}

export class Ranking {
  @ApiProperty({ example: '2026-11-30', description: 'In UTC.' })
  date!: string;

  @ApiProperty({
    example: '2026-11-30T12:00:00.000Z',
    type: String,
    nullable: true,
    description: 'When the cities were ranked; null where they have not been yet.',
  })
  refreshedAt!: string | null;

  @ApiProperty({ type: [RankedCity] })
  cities!: RankedCity[];
}
