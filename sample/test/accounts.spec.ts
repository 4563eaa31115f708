import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startRedis, type RedisServer } from 'rednest/testing';
import type { Account, Transferred } from '../accounts/accounts.dto.js';
import { RunningAtlas } from './atlas.fixture.js';

const WAYS = ['watch', 'script'] as const;

describe('accounts', () => {
  let server: RedisServer;
  let atlas: RunningAtlas;

  beforeAll(async () => {
    server = await startRedis();
    atlas = await RunningAtlas.start({ redis: server.options });
  });

  afterAll(async () => {
    await atlas?.close();
    await server?.stop();
  });

  const open = (id: string, balance: number) => atlas.put<Account>(`/accounts/${id}`, { balance });
  const balanceOf = async (id: string) => (await atlas.get<Account>(`/accounts/${id}`)).body.balance;

  it('opens an account, sets its balance and gives it', async () => {
    expect((await atlas.get('/accounts/alice')).status).toBe(404);
    const opened = await open('alice', 100);
    expect([opened.status, opened.body]).toEqual([200, { id: 'alice', balance: 100 }]);
    await open('alice', 0);
    const { status, body } = await atlas.get('/accounts/alice');
    expect([status, body]).toEqual([200, { id: 'alice', balance: 0 }]);
  });

  it.each([
    [{}],
    [{ balance: -1 }],
    [{ balance: 1.5 }],
    [{ balance: '1' }],
    [{ balance: 1e12 + 1 }],
    [{ balance: 1, more: 1 }],
  ])('answers 400 to the balance %j', async (body) => {
    expect((await atlas.put('/accounts/alice', body)).status).toBe(400);
  });

  it.each(['a%20b', 'a:b', 'a%7Bb', 'x'.repeat(65)])('answers 400 to the id %s', async (id) => {
    expect((await atlas.get(`/accounts/${id}`)).status).toBe(400);
    expect((await open(id, 1)).status).toBe(400);
  });

  describe.each(WAYS)('a transfer via %s', (via) => {
    const transfer = (body: unknown) => atlas.post<Transferred>(`/accounts/transfer?via=${via}`, body);

    it('moves money', async () => {
      await open('alice', 100);
      await open('bob', 9);
      const { status, body } = await transfer({ from: 'alice', to: 'bob', amount: 40 });
      expect([status, body]).toEqual([
        200,
        { from: { id: 'alice', balance: 60 }, to: { id: 'bob', balance: 49 } },
      ]);
      expect(await Promise.all(['alice', 'bob'].map(balanceOf))).toEqual([60, 49]);
    });

    it('moves the last cent, and not one more', async () => {
      await open('alice', 9);
      await open('bob', 0);
      const refused = await transfer({ from: 'alice', to: 'bob', amount: 10 });
      expect(refused.status).toBe(409);
      expect(refused.body).toMatchObject({ statusCode: 409, error: 'Conflict' });
      expect(await Promise.all(['alice', 'bob'].map(balanceOf))).toEqual([9, 0]);

      expect((await transfer({ from: 'alice', to: 'bob', amount: 9 })).status).toBe(200);
      expect(await Promise.all(['alice', 'bob'].map(balanceOf))).toEqual([0, 9]);
    });

    it('answers 404 where one of the accounts does not exist, and opens none', async () => {
      await open('alice', 100);
      const toNobody = await transfer({ from: 'alice', to: 'nobody', amount: 1 });
      const fromNobody = await transfer({ from: 'nobody', to: 'alice', amount: 1 });
      for (const { status, body } of [toNobody, fromNobody]) {
        expect(status).toBe(404);
        expect(body).toEqual({ statusCode: 404, error: 'Not Found', message: 'There is no account nobody' });
      }
      expect((await atlas.get('/accounts/nobody')).status).toBe(404);
      expect(await balanceOf('alice')).toBe(100);
    });

    it('keeps large sums exact', async () => {
      await open('alice', 1e12);
      await open('bob', 1e12);
      expect((await transfer({ from: 'alice', to: 'bob', amount: 1e12 - 1 })).body).toEqual({
        from: { id: 'alice', balance: 1 },
        to: { id: 'bob', balance: 1_999_999_999_999 },
      });
    });

    it.each([
      { from: 'alice', to: 'alice', amount: 1 },
      { from: 'alice', to: 'bob', amount: 0 },
      { from: 'alice', to: 'bob', amount: -5 },
      { from: 'alice', to: 'bob', amount: 0.5 },
      { from: 'alice', to: 'bob', amount: '5' },
      { from: 'alice', to: 'bob', amount: null },
      { from: 'alice', to: 'bob' },
      { from: 'alice', amount: 1 },
      { to: 'bob', amount: 1 },
      { from: 'alice', to: ['bob'], amount: 1 },
      { from: 'a:b', to: 'bob', amount: 1 },
      { from: 'alice', to: 'bob', amount: 1, via: 'watch' },
    ])('answers 400 to %j', async (body) => {
      expect((await transfer(body)).status).toBe(400);
    });

    it('keeps the sum while 200 transfers compete', async () => {
      const names = ['a', 'b', 'c', 'd'];
      await Promise.all(names.map((id) => open(id, 1_000)));
      const answers = await Promise.all(
        Array.from({ length: 200 }, (_, index) =>
          transfer({
            from: names[index % 4],
            to: names[(index + 1 + (index % 3)) % 4],
            amount: 1 + (index % 50),
          }),
        ),
      );
      expect(answers.filter(({ status }) => status !== 200 && status !== 409)).toEqual([]);
      const balances = await Promise.all(names.map(balanceOf));
      expect(balances.reduce((sum, balance) => sum + balance, 0)).toBe(4_000);
    });

    it('pays out no more than there is while 200 transfers compete for it', async () => {
      await open('alice', 1_000);
      await open('bob', 0);
      const answers = await Promise.all(
        Array.from({ length: 200 }, () => transfer({ from: 'alice', to: 'bob', amount: 10 })),
      );
      const statuses = answers.map(({ status }) => status);
      expect(statuses.filter((status) => status === 200)).toHaveLength(100);
      expect(statuses.filter((status) => status === 409)).toHaveLength(100);
      expect(await Promise.all(['alice', 'bob'].map(balanceOf))).toEqual([0, 1_000]);
    });
  });

  it('keeps the sum while both ways compete', async () => {
    await open('alice', 1_000);
    await open('bob', 1_000);
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, index) => {
        const [from, to] = index % 4 < 2 ? ['alice', 'bob'] : ['bob', 'alice'];
        return atlas.post(`/accounts/transfer?via=${WAYS[index % 2]!}`, { from, to, amount: 30 });
      }),
    );
    expect(answers.filter(({ status }) => status !== 200 && status !== 409)).toEqual([]);
    expect((await balanceOf('alice')) + (await balanceOf('bob'))).toBe(2_000);
  });

  it('takes the script unless told otherwise, and no other way', async () => {
    await open('alice', 10);
    await open('bob', 0);
    expect((await atlas.post('/accounts/transfer', { from: 'alice', to: 'bob', amount: 1 })).status).toBe(
      200,
    );
    expect(
      (await atlas.post('/accounts/transfer?via=magic', { from: 'alice', to: 'bob', amount: 1 })).status,
    ).toBe(400);
    expect(await balanceOf('bob')).toBe(1);
  });

  it('goes on when the server has forgotten the script', async () => {
    await open('alice', 10);
    await open('bob', 0);
    await (await server.admin()).script('FLUSH');
    expect(
      (await atlas.post('/accounts/transfer?via=script', { from: 'alice', to: 'bob', amount: 1 })).status,
    ).toBe(200);
  });
});
