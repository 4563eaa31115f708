import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Machine } from './machine.fixture.js';

const redis = 'Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=0';
const valkey = 'Valkey server v=8.0.1 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=0';

let machine: Machine;

beforeEach(() => {
  machine = new Machine();
});

afterEach(() => machine.dispose());

describe('set-up', () => {
  it('does nothing where nothing is missing', async () => {
    machine.addServer('redis-server', redis);
    machine.add('npm', '');
    await expect(machine.setUp()).resolves.toEqual({
      code: 0,
      output: expect.stringMatching(/^Everything is there: .* Redis 7\.0\.15 .*\n$/),
    });
    expect(machine.calls()).toEqual(['redis-server --version']);
  });

  it.each(['^18.2 || >=99', `^${process.versions.node.split('.')[0]}.99`])(
    'names the Node that is needed: %s',
    async (node) => {
      machine.write('package.json', { engines: { node } });
      machine.addServer('redis-server', redis);
      const { code, output } = await machine.setUp();
      expect(code).toBe(1);
      expect(output).toBe(`Node ${process.versions.node} is not supported: rednest needs Node ${node}.\n`);
    },
  );
});

describe('dependencies', () => {
  beforeEach(() => machine.addServer('redis-server', redis));

  it('are installed where there are none', async () => {
    machine.remove('node_modules/.package-lock.json');
    machine.add('npm', '');
    const { code, output } = await machine.setUp();
    expect(code).toBe(0);
    expect(output).toMatch(/^Installing dependencies \(npm ci\) …\n/);
    expect(machine.calls()).toContainEqual(expect.stringMatching(/^npm ci --include=dev /));
  });

  it('are installed where the lock asks for others', async () => {
    machine.write('node_modules/.package-lock.json', {
      packages: { 'node_modules/a': { version: '0.9.0' } },
    });
    machine.add('npm', '');
    await machine.setUp();
    expect(machine.calls()).toContainEqual(expect.stringMatching(/^npm ci /));
  });

  it('of other platforms are not missed', async () => {
    const packages = {
      'node_modules/a': { version: '1.0.0' },
      'node_modules/b': { version: '1.0.0', optional: true },
    };
    machine.write('package-lock.json', { packages });
    machine.write('node_modules/.package-lock.json', {
      packages: { 'node_modules/a': { version: '1.0.0' } },
    });
    machine.add('npm', '');
    await machine.setUp();
    expect(machine.calls()).not.toContainEqual(expect.stringMatching(/^npm/));
  });

  it('that cannot be installed end it', async () => {
    machine.remove('node_modules/.package-lock.json');
    machine.add('npm', 'echo no registry >&2; exit 7');
    const { code, output } = await machine.setUp();
    expect(code).toBe(1);
    expect(output).toMatch(/no registry\n.*npm ci failed/s);
  });
});

describe('a server', () => {
  it('may be a valkey-server', async () => {
    machine.addServer('valkey-server', valkey);
    expect((await machine.setUp()).output).toMatch(/Valkey 8\.0\.1/);
  });

  it('that is too old is named and passed over', async () => {
    machine.addServer('redis-server', redis.replace('7.0.15', '6.0.16'));
    machine.addServer('valkey-server', valkey);
    const { code, output } = await machine.setUp();
    expect(code).toBe(0);
    expect(output).toMatch(/redis-server is Redis 6\.0\.16: too old.*\n.*Valkey 8\.0\.1/);
  });

  it('may be chosen, by path or by name', async () => {
    machine.addServer('redis-server', redis);
    machine.addServer('another-server', redis.replace('7.0.15', '8.2.1'));
    expect((await machine.setUp({ environment: { REDNEST_REDIS_SERVER: 'another-server' } })).output).toMatch(
      /Redis 8\.2\.1/,
    );
    const { code, output } = await machine.setUp({
      environment: { REDNEST_REDIS_SERVER: '/nowhere/redis-server' },
    });
    expect(code).toBe(1);
    expect(output).toMatch(/REDNEST_REDIS_SERVER=\/nowhere\/redis-server/);
  });

  it('that is missing is installed, and the command shown', async () => {
    machine.addServer('prepared', redis);
    machine.add('brew', '/bin/mv "$PROGRAMS/prepared" "$PROGRAMS/redis-server"');
    const { code, output } = await machine.setUp();
    expect(code).toBe(0);
    expect(output).toMatch(/^Installing a Redis server: brew install redis …\n.*Redis 7\.0\.15/);
  });

  it('that cannot be installed ends it, with what was tried and what to install', async () => {
    machine.add('brew', 'echo no bottle available >&2; exit 1');
    const { code, output } = await machine.setUp();
    expect(code).toBe(1);
    expect(output).toMatch(/no bottle available.*No Redis server was found.*apt-get install redis-server/s);
  });

  it('is not looked for in REDIS_URL or in Docker by the tests', async () => {
    machine.add('docker', '');
    expect((await machine.setUp({ environment: { REDIS_URL: 'redis://production' } })).code).toBe(1);
    expect(machine.calls()).toEqual([]);
  });
});

describe('sudo', () => {
  it.each([{}, { CI: 'true' }])('is not used without a terminal to ask at: %j', async (environment) => {
    machine.add('sudo', '"$@"');
    machine.add('apt-get', '');
    const { code, output } = await machine.setUp({ environment });
    expect(code).toBe(1);
    expect(machine.calls()).toEqual([]);
    expect(output).toMatch(/sudo is not used without asking.*\n {2}apt-get update .*redis-server\n/);
  });

  it('is not needed by root', async () => {
    machine.addServer('prepared', redis);
    machine.add('sudo', '"$@"');
    machine.add(
      'apt-get',
      'case "$*" in *install*) /bin/mv "$PROGRAMS/prepared" "$PROGRAMS/redis-server";; esac',
    );
    const { code } = await machine.setUp({ user: 'root', environment: { CI: 'true' } });
    expect(code).toBe(0);
    expect(machine.calls().slice(0, 2)).toEqual([
      'apt-get update -qq',
      expect.stringMatching(/^apt-get install .*--no-install-recommends .*redis-server$/),
    ]);
    expect(machine.calls()).not.toContainEqual(expect.stringMatching(/^sudo/));
  });
});
