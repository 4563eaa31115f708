import { ApiProperty } from '@nestjs/swagger';
import { IsInt, Max, Min } from 'class-validator';

/** A place with, mostly, at least 1,000 inhabitants. Stored as it is sent: one JSON text per city. */
export class City {
  @ApiProperty({ example: 2657896, description: 'The number that GeoNames gives it.' })
  id!: number;

  @ApiProperty({ example: 'Zürich' })
  name!: string;

  @ApiProperty({ example: 'CH', description: 'ISO 3166-1 alpha-2, or XK for Kosovo.' })
  country!: string;

  @ApiProperty({ example: 341730 })
  population!: number;

  @ApiProperty({ example: 47.36667, description: 'Degrees north.' })
  latitude!: number;

  @ApiProperty({ example: 8.55, description: 'Degrees east.' })
  longitude!: number;

  @ApiProperty({ example: 'PPLA', description: 'What kind of place it is, as a feature code of GeoNames.' })
  featureCode!: string;

  @ApiProperty({ example: 'ZH', description: 'First-level administrative division: a canton, a state.' })
  adminCode!: string;
}

export class NearbyCity extends City {
  @ApiProperty({ example: 1.2345, description: 'Distance from the point that was asked for.' })
  distanceKm!: number;
}

/** More than lives in any city. */
const MAX_POPULATION = 100_000_000;

export class CityUpdate {
  @ApiProperty({ example: 450_000, minimum: 0, maximum: MAX_POPULATION })
  @IsInt()
  @Min(0)
  @Max(MAX_POPULATION)
  population!: number;
}
