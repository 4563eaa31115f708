import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Redis } from 'ioredis';
import { EncryptedStore, EncryptionModule, RedisModule } from 'rednest';
import { startRedis, type RedisServer } from 'rednest/testing';
import { testKey } from '../encryption/fixtures/encrypted-application.js';
import { eventually } from '../support/eventually.js';
import { startApplication } from '../support/redis-application.js';
import { rednest, variablesOf, type Variables } from './fixtures/tool.js';

describe('rednest', () => {
  let server: RedisServer;
  let redis: Redis;
  let variables: Variables;
  beforeAll(async () => {
    server = await startRedis({
      acl: ['operator on >secret ~* &* +@all', 'poor on >secret ~* +ping +info +scan +dbsize +type'],
      config: { 'slowlog-log-slower-than': '10000', 'enable-debug-command': 'yes' },
    });
    redis = await server.admin();
    variables = variablesOf(server);
  });
  beforeEach(() => redis.flushall());
  afterAll(() => server.stop());

  describe('bigkeys', () => {
    beforeEach(async () => {
      await redis.set('big', 'x'.repeat(100_000));
      await redis.rpush('list\n\u001B[31m', ...Array.from({ length: 500 }, String));
      await redis.mset(
        Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`small:${index}`, 'x'])),
      );
    });

    it('lists the biggest keys, aligned, and the totals of each type', async () => {
      const { code, output, messages } = await rednest(['bigkeys', '--top', '2'], variables);
      const [head = '', first = '', second = '', ...rest] = output.split('\n');
      expect(first.indexOf('big')).toBe(head.indexOf('Key'));
      expect(first).toMatch(/^\d+(\.\d)? KB .*string +big$/);
      // What a terminal would obey is shown.
      expect(second).toContain(String.raw`list\u000a\u001b[31m`);
      expect(rest).toContainEqual(expect.stringMatching(/^string +101 +1\d\d.*KB/));
      expect(rest).toContain('102 keys looked at.');
      expect({ code, messages }).toEqual({ code: 0, messages: '' });
    });

    it('counts elements, of keys like a pattern', async () => {
      const parameters = ['bigkeys', '--by', 'elements', '--match', 'li*', '--json'];
      const { code, output } = await rednest(parameters, variables);
      const report = JSON.parse(output) as { keys: { key: string; elements: number }[]; complete: boolean };
      expect(report).toMatchObject({ connection: 'default', complete: true });
      expect(report.keys).toEqual([expect.objectContaining({ key: 'list\n\u001B[31m', elements: 500 })]);
      expect(code).toBe(0);
    });

    it('lists what nobody has used for long', async () => {
      await redis.call('RESTORE', 'old', 0, await redis.dumpBuffer('big'), 'IDLETIME', 86_400);
      await redis.set('flag', 1);
      const { code, output } = await rednest(['bigkeys', '--stale', '1h'], variables);
      expect(output).toMatch(/^1 day +old$/m);
      expect(output).toContain('1 stale key; 1 key of unknown idle time; 104 keys looked at.');
      expect(code).toBe(0);
    });

    it('leaves out what is not permitted, says so, and ends with 1', async () => {
      const user = { ...variables, USERNAME: 'poor' };
      const { code, output, messages } = await rednest(['bigkeys'], user);
      expect(output).toContain('102 keys looked at.');
      expect(messages).toMatch(/^Left out: MEMORY USAGE.*\(not permitted\)/m);
      expect(code).toBe(1);
    });
  });

  it('slowlog lists what was slow, with arguments only where asked for', async () => {
    await redis.call('SLOWLOG', 'RESET');
    await redis.call('DEBUG', 'SLEEP', '0.02');
    const plain = await rednest(['slowlog'], variables);
    expect(plain.output).toMatch(/^ *\d+(\.\d+)? ms +\d{4}-\d\d-\d\dT\S+Z +rednest-testing +debug$/m);
    expect(plain.code).toBe(0);
    const detailed = await rednest(['slowlog', '--arguments', '--json', '--count', '1'], variables);
    expect(JSON.parse(detailed.output)).toMatchObject({
      commands: [{ command: 'debug', arguments: ['SLEEP', '0.02'] }],
    });
  });

  it('memory prints a table, and with --watch a line for each look until it is stopped', async () => {
    const once = await rednest(['memory'], variables);
    expect(once.output).toMatch(/^Node +Used +Peak/);
    expect(once.output).toMatch(/^default +[\d.]+ MB .* none +noeviction/m);
    expect(once.code).toBe(0);

    const stopping = new AbortController();
    let lines = 0;
    const told = () => void (++lines === 3 && stopping.abort());
    const watched = await rednest(['memory', '--watch', '100ms', '--json'], variables, {
      signal: stopping.signal,
      told,
    });
    const samples = watched.output
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { change?: number });
    expect(samples.map(({ change }) => typeof change)).toEqual(['undefined', 'number', 'number']);
    expect(watched.code).toBe(130);
  });

  describe('rotate', () => {
    const [OLD, NEW] = [testKey('aaaa0001'), testKey('bbbb0002')];
    const keyText = ({ id, key }: typeof OLD) => `${id}:${key}`;
    const rotating = () => ({
      ...variables,
      ENCRYPTION_KEY: keyText(NEW),
      ENCRYPTION_DECRYPT_KEYS: keyText(OLD),
    });

    beforeEach(async () => {
      const encryption = EncryptionModule.forRoot({ key: OLD, namespace: 'atlas' });
      const { app } = await startApplication([RedisModule.forRoot(server.options), encryption]);
      await app.get(EncryptedStore).setMany([
        ['a', 1],
        ['b', 2],
      ]);
      await app.close();
    });

    it('encrypts anew what is under other keys', async () => {
      const { code, output } = await rednest(['rotate', '--namespace', 'atlas'], rotating());
      expect(output).toContain('2 values and fields were encrypted anew');
      expect(output).toMatch(/^bbbb0002 +primary +2 +0 +0$/m);
      expect(output).toMatch(/^aaaa0001 +decrypt +0 +0 +0 +yes$/m);
      expect(output).toContain('Nothing is under aaaa0001 any more');
      expect(code).toBe(0);
    });

    it('says what it could not, and ends with 1', async () => {
      const alone = { ...rotating(), ENCRYPTION_DECRYPT_KEYS: undefined };
      const { code, output, messages } = await rednest(['rotate', '--namespace', 'atlas', '--json'], alone);
      expect(JSON.parse(output)).toMatchObject({ completed: true, refused: 2, reencrypted: 0 });
      expect(messages).toContain('aaaa0001');
      expect(code).toBe(1);
    });

    it('shows no key when it is not one', async () => {
      const { code, output, messages } = await rednest(['rotate'], {
        ...rotating(),
        ENCRYPTION_KEY: 'my-secret',
      });
      expect(messages).toContain('ENCRYPTION_KEY');
      expect(messages + output).not.toContain('my-secret');
      expect(code).toBe(2);
    });
  });

  it.each([
    ['an unknown command', ['doktor']],
    ['no command', []],
    ['an unknown option', ['memory', '--wach']],
    ['a number that is none', ['bigkeys', '--top', '0']],
    ['a duration that is none', ['bigkeys', '--stale', 'soon']],
    ['options that exclude each other', ['bigkeys', '--stale', '1d', '--by', 'bytes']],
    ['an interval that is too short', ['memory', '--watch', '1ms']],
    ['too many arguments', ['slowlog', '10']],
    ['a connection that has no variables', ['memory', '--connection', 'sessions']],
  ])('ends with 2 for %s', async (_what, parameters) => {
    const { code, output, messages } = await rednest(parameters, variables);
    expect(messages).not.toBe('');
    expect(messages).not.toMatch(/^ +at /m);
    expect({ code, output }).toEqual({ code: 2, output: '' });
  });

  it('reads the variables of a named connection', async () => {
    const { HOST, PORT, USERNAME, PASSWORD } = variables;
    const named = {
      SESSIONS_HOST: HOST,
      SESSIONS_PORT: PORT,
      SESSIONS_USERNAME: USERNAME,
      SESSIONS_PASSWORD: PASSWORD,
    };
    const { code, output } = await rednest(['memory', '--connection', 'sessions'], named);
    expect(output).toMatch(/^sessions +[\d.]+ MB/m);
    expect(code).toBe(0);
  });

  it('ends with 3 where it cannot connect, and says why in JSON too', async () => {
    const { code, output, messages } = await rednest(['bigkeys', '--json'], {
      ...variables,
      PASSWORD: 'wrong',
    });
    expect(messages).toMatch(/^WRONGPASS [^\n]+\n$/);
    expect(JSON.parse(output)).toMatchObject({ error: { code: 'REDIS_AUTH' }, exitCode: 3 });
    expect(code).toBe(3);
  });

  it('stops at once while it waits for Redis', async () => {
    const stopping = new AbortController();
    const running = rednest(
      ['memory', '--timeout', '1h'],
      { ...variables, PORT: 1 },
      { signal: stopping.signal },
    );
    stopping.abort();
    await eventually(async () => expect((await running).code).toBe(130));
  });
});
