import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { EncryptedStore } from 'rednest';
import { startRedis, type RedisServer } from 'rednest/testing';
import type { MaskedProfile } from '../payments/payments.dto.js';
import { EXIT, rotateValues } from '../rotation/rotate-values.js';
import { RunningAtlas } from './atlas.fixture.js';
import { RecordingLogger } from './recording-logger.fixture.js';

const PROFILES = '/payments/profiles';

const CARD = '4111 1111 1111 1111';
const DIGITS = '4111111111111111';
const MASKED = '**** **** **** 1111';
const OTHER_CARD = '5500-0000-0000-0004';

const ALICE = {
  holder: 'Alice Keller',
  cardNumber: CARD,
  expires: '2030-12',
  billingAddress: { street: 'Bahnhofstrasse 1', postcode: '8001', city: 'Zürich', country: 'CH' },
};

/** More of a card number in a row than may be seen. */
const READABLE = /4(?:[ -]?1){5}|(?:1[ -]?){5}/;

describe('payment profiles', () => {
  let server: RedisServer;
  let atlas: RunningAtlas;

  const oldKey = randomBytes(32).toString('hex');
  const newKey = randomBytes(32).toString('hex');
  const logger = new RecordingLogger();

  beforeAll(async () => {
    server = await startRedis();
    atlas = await RunningAtlas.start({ redis: server.options, keys: { key: oldKey }, logger });
  });

  afterEach(() => expect(logger.lines.filter((line) => READABLE.test(line))).toEqual([]));

  afterAll(async () => {
    await atlas?.close();
    await server?.stop();
  });

  const create = (profile: unknown = ALICE, at = atlas) => at.post<MaskedProfile>(PROFILES, profile);
  const idsWith = async (cardNumber: string, at = atlas) => {
    const { status, body } = await at.post<MaskedProfile[]>(`${PROFILES}/search`, { cardNumber });
    expect(status).toBe(200);
    return body.map(({ id }) => id);
  };

  /** Every key of the profiles and their index, and all that is in them. */
  async function stored(): Promise<string> {
    const admin = await server.admin();
    const keys = await admin.keys('atlas:secure:*');
    const contents = await Promise.all(
      keys.map(async (key) =>
        (await admin.type(key)) === 'hash' ? admin.hgetall(key) : admin.zrange(key, 0, '-1'),
      ),
    );
    return JSON.stringify([keys, contents]);
  }

  it('are kept, and shown with the card number masked', async () => {
    const { status, body } = await create();
    const shown = { ...ALICE, id: expect.any(String), cardNumber: MASKED };
    expect([status, body]).toEqual([201, shown]);
    expect((await atlas.get(`${PROFILES}/${body.id}`)).body).toEqual({ ...shown, id: body.id });
    expect(logger.with(`${body.id} was created`)).toEqual([expect.stringContaining(MASKED)]);
  });

  it('lie in Redis with the holder readable, and neither the card number nor the address', async () => {
    await create();
    const text = await stored();
    expect(text).toContain(ALICE.holder);
    expect(text).not.toMatch(READABLE);
    expect(text).not.toMatch(/Bahnhofstrasse|8001|Zürich/);
  });

  it('are found by the card number, however it is written, and no longer when they have another', async () => {
    const { id } = (await create({ ...ALICE, cardNumber: OTHER_CARD })).body;
    for (const written of ['5500 0000 0000 0004', '5500000000000004'])
      expect(await idsWith(written)).toEqual([id]);

    const replaced = await atlas.put<MaskedProfile>(`${PROFILES}/${id}`, ALICE);
    expect([replaced.status, replaced.body]).toEqual([200, { ...ALICE, id, cardNumber: MASKED }]);
    expect(await idsWith(OTHER_CARD)).toEqual([]);
    expect(await idsWith(DIGITS)).toContain(id);
  });

  it('are forgotten', async () => {
    const { id } = (await create()).body;
    expect((await atlas.delete(`${PROFILES}/${id}`)).status).toBe(204);
    expect(await idsWith(DIGITS)).not.toContain(id);
    expect(await stored()).not.toContain(id);
    const answers = [
      await atlas.get(`${PROFILES}/${id}`),
      await atlas.put(`${PROFILES}/${id}`, ALICE),
      await atlas.delete(`${PROFILES}/${id}`),
    ];
    for (const { status, body } of answers)
      expect([status, body]).toEqual([
        404,
        { statusCode: 404, error: 'Not Found', message: `There is no payment profile ${id}` },
      ]);
  });

  it.each<[string, unknown]>([
    ['a wrong check digit', { ...ALICE, cardNumber: '4111 1111 1111 1112' }],
    ['a number instead of text', { ...ALICE, cardNumber: Number(DIGITS) }],
    ['a list', { ...ALICE, cardNumber: [CARD] }],
    ['a card number among the spaces', { ...ALICE, cardNumber: CARD.padEnd(40) }],
    ['a card number as a month', { ...ALICE, expires: DIGITS }],
    ['a card number as a country', { ...ALICE, billingAddress: { ...ALICE.billingAddress, country: CARD } }],
    ['a card number as an address', { ...ALICE, billingAddress: CARD }],
    ['a card number as a property', { ...ALICE, [CARD]: true }],
    ['a card number as a property of the address', { ...ALICE, billingAddress: { [DIGITS]: '' } }],
    ['no address', { ...ALICE, billingAddress: undefined }],
    ['a list of profiles', [ALICE]],
    ['a text', JSON.stringify(CARD)],
    ['what is not quite JSON', `[x${DIGITS}]`],
    ['what is no JSON at all', `card=${DIGITS}`],
  ])('answer 400 to %s, and do not repeat it', async (_what, body) => {
    const calls = [atlas.post(PROFILES, body), atlas.put(`${PROFILES}/${randomUUID()}`, body)];
    for (const answer of await Promise.all([...calls, atlas.post(`${PROFILES}/search`, body)])) {
      expect(answer.status).toBe(400);
      expect(answer.body).toMatchObject({ message: expect.anything(), error: 'Bad Request' });
      expect(JSON.stringify(answer.body)).not.toMatch(READABLE);
    }
  });

  it('answer 400 to a card number in the place of an id, and do not repeat it', async () => {
    const { status, body } = await atlas.get(`${PROFILES}/${DIGITS}`);
    expect([status, body]).toEqual([
      400,
      { statusCode: 400, error: 'Bad Request', message: ['id must be a UUID'] },
    ]);
  });

  it('are not read where somebody has put one in the place of another, and the log does not show what was read', async () => {
    const [mine, other] = [(await create()).body.id, (await create()).body.id];
    const admin = await server.admin();
    const keyOf = async (id: string) => (await admin.keys(`atlas:secure:*${id}*`))[0]!;
    const [own, foreign] = [mine, other].map(async (id) => admin.hgetBuffer(await keyOf(id), 'cardNumber'));
    const before = (await own)!;
    await admin.hset(await keyOf(mine), 'cardNumber', (await foreign)!);
    const { status, body } = await atlas.get(`${PROFILES}/${mine}`);
    expect([status, body]).toEqual([500, { statusCode: 500, message: 'Internal server error' }]);
    expect(logger.with('was altered, moved')).not.toEqual([]);
    await admin.hset(await keyOf(mine), 'cardNumber', before);
    expect((await atlas.get(`${PROFILES}/${mine}`)).status).toBe(200);
  });

  it('are found while a new key is brought in, and the command that rotates leaves nothing under the old one', async () => {
    const { id } = (await create()).body;
    const promoted = await RunningAtlas.start({
      redis: server.options,
      keys: { key: newKey, decryptKeys: [oldKey] },
    });
    try {
      expect(await idsWith(CARD, promoted)).toContain(id);
      const lines: string[] = [];
      const code = await rotateValues(promoted.app.get(EncryptedStore), {
        signal: new AbortController().signal,
        write: (line) => lines.push(line),
      });
      const text = lines.join('\n');
      expect(text).toMatch(/^Key +Role +Values +Fields +Index entries +Removable$/m);
      expect(text).toMatch(/^[0-9a-f]{8} +primary +0 +\d+ +1$/m);
      expect(text).toMatch(/^[0-9a-f]{8} +decrypt +0 +0 +0 +yes$/m);
      expect(text).not.toMatch(READABLE);
      expect(code).toBe(EXIT.done);
      expect(await idsWith(CARD, promoted)).toContain(id);
    } finally {
      await promoted.close();
    }
  });
});
