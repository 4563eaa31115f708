import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { IsCreditCard, IsString } from 'class-validator';
import { Encrypted, EncryptedRecords, EncryptionModule, RedisModule } from 'rednest';
import { Opened } from '../support/opened.js';
import { startApplication } from '../support/redis-application.js';
const opened = new Opened();
class PaymentProfile {
  @IsString() holder!: string;
  @Encrypted({ index: (n: string) => n.replaceAll(/\D/g, '') }) @IsCreditCard() cardNumber!: string;
}
describe('EncryptedRecords', () => {
  it('works', async () => {
    const server = await opened.server({});
    const { app } = await startApplication([
      RedisModule.forRoot(server.options),
      EncryptionModule.forRoot({ key: randomBytes(32) }),
    ]);
    opened.add({ [Symbol.asyncDispose]: () => app.close() });
    const profiles = app.get(EncryptedRecords).for(PaymentProfile);
    await profiles.save(7, { holder: 'Ada', cardNumber: '4111 1111 1111 1111' }, { ttl: '30d' });
    await profiles.save(7, { holder: 'Ada', cardNumber: '4111-1111-1111-1111' });
    const loaded = await profiles.load('7');
    expect(loaded).toBeInstanceOf(PaymentProfile);
    const admin = await server.admin();
    for (const k of await admin.keys('*'))
        k,
        await admin.pttl(k),
        (await admin.type(k)) === 'hash'
          ? await admin.hgetall(k)
          : await admin.zrange(k, 0, -1, 'WITHSCORES'),
      );
    await expect(profiles.save(1, { holder: 5 as never, cardNumber: '1' })).rejects.toThrow(
      'cardNumber does not pass isCreditCard',
    );
  });
});
