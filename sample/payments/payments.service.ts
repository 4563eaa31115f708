import { randomUUID } from 'node:crypto';
import { Injectable, Logger, NotFoundException } from '@nestjs/common';
import { EncryptedRecords, Locked, type RecordStore } from 'rednest';
import { maskedNumber } from './card-number.js';
import { PaymentProfile } from './payment-profile.js';
import type { MaskedProfile } from './payments.dto.js';
import { profileLock } from './payments.keys.js';

/** A change takes some milliseconds. Without the lock, a profile that is deleted while another replica replaces it would come back. */
const CHANGE = { key: profileLock, ttl: '5s', wait: '3s' } as const;

/** Payment profiles, which leave this class with the card number masked. */
@Injectable()
export class PaymentsService {
  readonly #profiles: RecordStore<PaymentProfile>;
  readonly #logger = new Logger(PaymentsService.name);

  constructor(records: EncryptedRecords) {
    this.#profiles = records.for(PaymentProfile);
  }

  async create(profile: PaymentProfile): Promise<MaskedProfile> {
    const id = randomUUID();
    await this.#profiles.save(id, profile);
    const saved = masked(id, profile);
    this.#logger.log(`Payment profile ${id} was created, for card ${saved.cardNumber}`);
    return saved;
  }

  /** @throws NotFoundException */
  async findOne(id: string): Promise<MaskedProfile> {
    return masked(id, await this.#load(id));
  }

  /** The profiles with this card, however its number is written. */
  async search(cardNumber: string): Promise<MaskedProfile[]> {
    const found = await this.#profiles.find('cardNumber', cardNumber);
    return found.map(({ id, record }) => masked(id, record));
  }

  /**
   * @throws NotFoundException
   * @throws LockTimeoutError where others kept changing the profile
   */
  @Locked(CHANGE)
  async replace(id: string, profile: PaymentProfile): Promise<MaskedProfile> {
    await this.#load(id);
    await this.#profiles.save(id, profile);
    return masked(id, profile);
  }

  /**
   * @throws NotFoundException
   * @throws LockTimeoutError where others kept changing the profile
   */
  @Locked(CHANGE)
  async remove(id: string): Promise<void> {
    if (!(await this.#profiles.delete(id))) throw unknownProfile(id);
    this.#logger.log(`Payment profile ${id} was deleted`);
  }

  /** @throws NotFoundException */
  async #load(id: string): Promise<PaymentProfile> {
    const profile = await this.#profiles.load(id);
    if (!profile) throw unknownProfile(id);
    return profile;
  }
}

function masked(id: string, { holder, cardNumber, expires, billingAddress }: PaymentProfile): MaskedProfile {
  return { id, holder, cardNumber: maskedNumber(cardNumber), expires, billingAddress };
}

function unknownProfile(id: string): NotFoundException {
  return new NotFoundException(`There is no payment profile ${id}`);
}
