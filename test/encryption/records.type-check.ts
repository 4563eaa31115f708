/**
 * What the types of records accept and refuse, checked by `tsc --noEmit`: where a line below an `@ts-expect-error` compiled, that would not.
 * Nothing of it runs.
 */
import { Type } from 'class-transformer';
import { IsCreditCard, IsOptional, IsString, ValidateNested } from 'class-validator';
import { Encrypted, type EncryptedRecords, type RecordStore } from 'rednest';
import { Address } from './fixtures/profiles.js';

/** As in the guide. */
class PaymentProfile {
  @IsString() holder!: string;
  @Encrypted({ index: (number) => number.replaceAll(' ', '') }) @IsCreditCard() cardNumber!: string;
  @Encrypted() @IsOptional() @Type(() => Address) @ValidateNested() address?: Address;
}

export class PaymentsService {
  readonly #profiles: RecordStore<PaymentProfile>;

  constructor(records: EncryptedRecords) {
    this.#profiles = records.for(PaymentProfile);
  }

  async example(): Promise<readonly string[]> {
    await this.#profiles.save('7', { holder: 'Ada', cardNumber: '4111 1111 1111 1111' }, { ttl: '365d' });
    const profile: PaymentProfile | undefined = await this.#profiles.load('7');
    const found = await this.#profiles.find('cardNumber', profile?.cardNumber ?? '4111111111111111');
    return found.map(({ id, record }) => `${id} ${record.holder}`);
  }

  async refused(): Promise<void> {
    // @ts-expect-error: there is no such property
    await this.#profiles.find('card', '4111');
    // @ts-expect-error: the property is a text
    await this.#profiles.find('cardNumber', 4111);
    // @ts-expect-error: a property is missing
    await this.#profiles.save('7', { holder: 'Ada' });
  }
}

export class Indexed {
  @Encrypted({ index: true }) text!: string;
  @Encrypted({ index: (value: number) => value.toFixed() }) number!: number;
  @Encrypted<Date>({ index: (value) => value.toISOString() }) date!: Date;

  // @ts-expect-error: the function makes a text
  @Encrypted({ index: (value: number) => value }) wrongResult!: number;

  // @ts-expect-error: what the property holds is taken to be a text, unless it is said
  @Encrypted({ index: (value) => value.toFixed() }) wrongValue!: number;

  // @ts-expect-error: no such option
  @Encrypted({ find: true }) wrongOption!: string;
}
