import { ApiProperty } from '@nestjs/swagger';
import { IsInt, Matches, Max, Min } from 'class-validator';

const TOUR_ID = /^[a-z0-9-]{1,64}$/;
const TOUR_ID_RULE = { message: '$property is 1 to 64 small letters, digits or -' };

const GUEST = /^[\p{L}\p{N}][\p{L}\p{N} .'-]{0,63}$/u;
const GUEST_RULE = {
  message: "$property is 1 to 64 letters, digits, spaces, ., ' or -, and begins with a letter or digit",
};

/** More do not go on one tour. */
const MAX_PLACES = 100;

export class TourParams {
  @ApiProperty({ example: 'zurich-old-town' })
  @Matches(TOUR_ID, TOUR_ID_RULE)
  id!: string;
}

export class BookingParams extends TourParams {
  @ApiProperty({ example: 'Alice' })
  @Matches(GUEST, GUEST_RULE)
  guest!: string;
}

export class BookingBody {
  @ApiProperty({ example: 'Alice' })
  @Matches(GUEST, GUEST_RULE)
  guest!: string;

  @ApiProperty({ example: 2, minimum: 1, maximum: MAX_PLACES })
  @IsInt()
  @Min(1)
  @Max(MAX_PLACES)
  places!: number;
}

/** A tour on its next date. */
export class Tour {
  @ApiProperty({ example: 'zurich-old-town' })
  id!: string;

  @ApiProperty({ example: 'The old town and the lake' })
  title!: string;

  @ApiProperty({ example: 2657896, description: 'The city, by the number that GeoNames gives it.' })
  cityId!: number;

  @ApiProperty({ example: 'Zürich' })
  city!: string;

  @ApiProperty({ example: '2026-11-30', description: 'When it is given next, in UTC.' })
  date!: string;

  @ApiProperty({ example: 20 })
  places!: number;

  @ApiProperty({ example: 18 })
  placesLeft!: number;
}

export class Booking extends BookingBody {
  @ApiProperty({ type: Tour, description: 'After the booking.' })
  tour!: Tour;
}

export class NightlyRun {
  @ApiProperty({ description: 'false where another replica does it, or has just done it.' })
  ran!: boolean;

  @ApiProperty({ example: 4, description: 'How many tours got their next date.' })
  moved!: number;
}
