import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import {
  IsISO31661Alpha2,
  IsNumber,
  IsOptional,
  IsPositive,
  IsString,
  Max,
  MaxLength,
  Min,
  ValidateIf,
} from 'class-validator';
import { Limit } from '../common/limit.js';
import { ToNumber } from '../common/to-number.js';

/** Kosovo's code in the data: in use everywhere, though ISO has not assigned it. */
const KOSOVO = 'XK';

/** Where Redis' geo index ends: that of the Mercator projection. */
const MAX_LATITUDE = 85.05112878;

/** A search, or the most populous cities where `q` is left out. */
export class ListCitiesQuery {
  @ApiPropertyOptional({
    description: 'How the name begins. Case and accents do not matter.',
    example: 'zurich',
  })
  @IsOptional()
  @IsString()
  @MaxLength(100)
  q?: string;

  @ApiPropertyOptional({ description: 'ISO 3166-1 alpha-2, or XK for Kosovo.', example: 'CH' })
  @IsOptional()
  @Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? value.toUpperCase() : value))
  @ValidateIf(({ country }: ListCitiesQuery) => country !== KOSOVO)
  @IsISO31661Alpha2()
  country?: string;

  @Limit({ maximum: 100, byDefault: 20 })
  limit = 20;
}

export class NearQuery {
  @ApiProperty({
    description: 'Degrees north.',
    example: 47.37,
    minimum: -MAX_LATITUDE,
    maximum: MAX_LATITUDE,
  })
  @ToNumber()
  @IsNumber()
  @Min(-MAX_LATITUDE)
  @Max(MAX_LATITUDE)
  lat!: number;

  @ApiProperty({ description: 'Degrees east.', example: 8.54, minimum: -180, maximum: 180 })
  @ToNumber()
  @IsNumber()
  @Min(-180)
  @Max(180)
  lng!: number;

  @ApiProperty({ description: 'Radius in kilometres: more than 0.', example: 20, maximum: 20_000 })
  @ToNumber()
  @IsNumber()
  @IsPositive()
  @Max(20_000)
  km!: number;

  @Limit({ maximum: 1_000, byDefault: 50 })
  limit = 50;
}
