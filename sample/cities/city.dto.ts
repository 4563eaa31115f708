import { ApiProperty } from '@nestjs/swagger';

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
