import { IsInt, IsString } from 'class-validator';
import { Event } from 'rednest';

/** A city has another number of inhabitants now. Broadcast: of interest to the replicas that run, for what they keep in memory. */
@Event('city.updated', { delivery: 'broadcast' })
export class CityUpdated {
  /** Its id. */
  @IsInt()
  readonly city!: number;

  @IsString()
  readonly name!: string;

  @IsInt()
  readonly population!: number;
}
