import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { rmSync, writeFileSync } from 'node:fs';
import { problemsOf, resolve, TemporaryFiles } from './resolve.fixture.js';

const provider = () => ({ password: 'fresh' });

describe('credentials', () => {
  it('come from options or URL, piece by piece', () => {
    const url = 'redis://:s3cret@cache';
    expect(resolve({ options: { url, username: 'app' } })).toMatchObject({
      username: 'app',
      password: 's3cret',
    });
    expect(resolve({ options: { url, password: 's3cret' } })).toMatchObject({ password: 's3cret' });
    expect(resolve({ options: { host: 'a', credentials: provider } })).toMatchObject({
      username: undefined,
      password: undefined,
      credentials: provider,
    });
  });

  it.each([
    [
      { url: 'redis://app:one@a', password: 'two' },
      ["password: '***' differs from the password in url; give one of them"],
    ],
    [
      { url: 'redis://app:one@a', username: 'other' },
      ["username: '***' differs from the username in url; give one of them"],
    ],
    [{ host: 'a', username: 'app' }, ['username: has a user name, but no password was given (password)']],
    [{ url: 'redis://app@a' }, ['url: has a user name, but no password was given (password)']],
    [
      { host: 'a', password: 'one', credentials: provider },
      [
        'credentials: is given, but password has a user name or password too; credentials stand instead of both',
      ],
    ],
    [
      { host: 'a', username: 'one', credentials: provider },
      [
        'credentials: is given, but username has a user name or password too; credentials stand instead of both',
      ],
    ],
    [
      { url: 'redis://:one@a', credentials: provider },
      ['credentials: is given, but url has a user name or password too; credentials stand instead of both'],
    ],
    [
      { host: 'a', credentials: { password: 's3cret' } },
      ['credentials: an object is not a function that returns { username, password }'],
    ],
    [{ host: 'a', password: '' }, ['password: is empty; leave it out where there is none']],
    [{ host: 'a', password: 12345 }, ["password: '***' is not a text"]],
    [{ host: 'a', username: 5, password: 'x' }, ['username: 5 is not a text with at least one letter']],
  ])('%j is refused', (options, problems) => {
    expect(problemsOf({ options })).toEqual(problems);
  });

  it.each([
    [
      { REDIS_URL: 'redis://app:one@a', REDIS_PASSWORD: 'two' },
      "REDIS_PASSWORD: '***' differs from the password in REDIS_URL; give one of them",
    ],
    [
      { REDIS_USERNAME: 'app' },
      'REDIS_USERNAME: has a user name, but no password was given (REDIS_PASSWORD)',
    ],
  ])('%j is refused', (env, problem) => {
    expect(problemsOf({ env })).toEqual([problem]);
  });

  it('in code win over the environment', () => {
    const env = { REDIS_URL: 'redis://app:old@a', REDIS_PASSWORD_FILE: '/nowhere' };
    expect(resolve({ env, options: { password: 'new' } })).toMatchObject({
      username: 'app',
      password: 'new',
    });
    const { credentials, password } = resolve({ env, options: { credentials: provider } });
    expect([credentials, password]).toEqual([provider, undefined]);
  });

  describe('from REDIS_PASSWORD_FILE', () => {
    let files: TemporaryFiles;
    beforeEach(() => {
      files = new TemporaryFiles();
    });
    afterEach(() => files.remove());

    it('are read at each connect, without the line break at the end', async () => {
      const path = files.write('password', ' s3cret \n');
      const env = { REDIS_PASSWORD_FILE: path, REDIS_USERNAME: 'app' };
      const { credentials, username, password } = resolve({ env });
      expect([username, password]).toEqual([undefined, undefined]);
      expect(await credentials?.()).toEqual({ username: 'app', password: ' s3cret ' });
      writeFileSync(path, 'rotated\r\n');
      expect(await credentials?.()).toEqual({ username: 'app', password: 'rotated' });
      rmSync(path);
      await expect(async () => credentials?.()).rejects.toThrow(
        `REDIS_PASSWORD_FILE: file '${path}' cannot be read (ENOENT)`,
      );
    });

    it('are refused where the file cannot be read, is empty, or stands beside a password', () => {
      const missing = `${files.directory}/missing`;
      expect(problemsOf({ env: { REDIS_PASSWORD_FILE: missing } })).toEqual([
        `REDIS_PASSWORD_FILE: file '${missing}' cannot be read (ENOENT)`,
      ]);
      const empty = files.write('empty', '\n');
      expect(problemsOf({ env: { REDIS_PASSWORD_FILE: empty } })).toEqual([
        `REDIS_PASSWORD_FILE: file '${empty}' is empty`,
      ]);
      const path = files.write('password', 's3cret');
      expect(problemsOf({ env: { REDIS_PASSWORD_FILE: path, REDIS_PASSWORD: 's3cret' } })).toEqual([
        'REDIS_PASSWORD_FILE: is given, but REDIS_PASSWORD has a password too; give one of them',
      ]);
      expect(problemsOf({ env: { REDIS_PASSWORD_FILE: path, REDIS_URL: 'redis://:s3cret@a' } })).toEqual([
        'REDIS_PASSWORD_FILE: is given, but REDIS_URL has a password too; give one of them',
      ]);
    });

    it('are not shown where the password itself was put in the place of its file', () => {
      expect(problemsOf({ env: { REDIS_PASSWORD_FILE: 's3cret' } })).toEqual([
        "REDIS_PASSWORD_FILE: file '***' cannot be read (ENOENT)",
      ]);
    });
  });
});
