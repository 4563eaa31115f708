import { Module, type DynamicModule } from '@nestjs/common';
import { ConfigModule } from '@nestjs/config';
import { EncryptedRecords, EncryptionModule, RedisModule } from 'rednest';
import type { AppOptions } from '../app.module.js';
import { secureNamespace } from '../atlas.keys.js';
import { PaymentProfile } from '../payments/payment-profile.js';

/** What a rotation needs of Atlas: the connection, the keys, and who keeps the indexes. No server, no import, no jobs. */
@Module({})
export class RotationModule {
  static async forRoot({ redis, keys }: AppOptions = {}): Promise<DynamicModule> {
    return {
      module: RotationModule,
      imports: [
        await ConfigModule.forRoot({ isGlobal: true }),
        RedisModule.forRoot(redis),
        EncryptionModule.forRoot({ ...keys, namespace: secureNamespace }),
      ],
    };
  }

  constructor(records: EncryptedRecords) {
    // An entry of an index is moved by those who know what it is made of: each class with an index has to be named.
    records.for(PaymentProfile);
  }
}
