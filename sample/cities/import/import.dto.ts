import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Matches } from 'class-validator';

export const IMPORT_STATES = ['queued', 'active', 'done', 'failed'] as const;

export class ImportParams {
  @ApiProperty({ example: '2' })
  @Matches(/^[\w:-]{1,64}$/, { message: '$property is 1 to 64 letters, digits, :, _ or -' })
  id!: string;
}

export class Import {
  @ApiProperty({ example: '2' })
  id!: string;

  @ApiProperty({ enum: IMPORT_STATES, description: 'Kept for a week after it was done or has failed.' })
  state!: (typeof IMPORT_STATES)[number];

  @ApiProperty({ example: 67000, description: 'Cities that are imported.' })
  done!: number;

  @ApiPropertyOptional({ example: 135233, description: 'Cities that there are, once it has begun.' })
  total?: number;
}
