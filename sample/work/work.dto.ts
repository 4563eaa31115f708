import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsInt, IsNumber, Max, Min } from 'class-validator';
import { ToNumber } from '../common/to-number.js';
import { NearbyCity } from '../cities/city.dto.js';

export const WORK_STATES = ['queued', 'done', 'failed'] as const;

export class WorkBody {
  @ApiProperty({ example: 2657896, description: 'The city whose neighbours are wanted.' })
  @IsInt()
  @Min(1)
  cityId!: number;
}

export class WorkItem {
  @ApiProperty({ format: 'uuid' })
  id!: string;

  @ApiProperty({ example: 2657896 })
  cityId!: number;

  @ApiProperty({ enum: WORK_STATES, description: 'Kept for a day after it was queued or finished.' })
  state!: (typeof WORK_STATES)[number];

  @ApiPropertyOptional({
    type: [NearbyCity],
    description: 'When done: the ten nearest within 100 km, nearest first.',
  })
  neighbours?: NearbyCity[];
}

export class WorkQuery {
  @ApiPropertyOptional({
    minimum: 0,
    maximum: 30,
    default: 0,
    type: Number,
    description: 'Seconds to wait until it is finished.',
  })
  @ToNumber()
  @IsNumber()
  @Min(0)
  @Max(30)
  wait = 0;
}
