import { IsInt, IsISO31661Alpha2, IsString, IsUUID, Min } from 'class-validator';
import { Event } from 'rednest';
import type { View } from '../view.js';

/** The view as a class, with what one would say of its properties. */
class CheckedView implements View {
  @IsInt()
  readonly city!: number;

  @IsString()
  readonly name!: string;

  @IsISO31661Alpha2()
  readonly country!: string;

  @IsString()
  readonly path!: string;

  @IsUUID()
  readonly visitor!: string;

  @IsInt()
  @Min(1)
  readonly count!: number;

  @IsInt()
  readonly sentAt!: number;
}

@Event('city.checked')
export class CityViewed extends CheckedView {}

@Event('city.checked', { delivery: 'durable' })
export class DurableCityViewed extends CheckedView {}
