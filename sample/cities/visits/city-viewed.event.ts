import { IsInt } from 'class-validator';
import { Event } from 'rednest';

/** Somebody has visited a city. Durable: it is kept until it has been counted. The views of one city are counted one after the other. */
@Event('city.viewed', { delivery: 'durable', version: 1, key: ({ city }) => city })
export class CityViewed {
  /** Its id. */
  @IsInt()
  readonly city!: number;
}
