import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { createCoherence } from '../../src/cache/coherence/probe.js';
import { CacheConfigurationError } from '../../src/cache/options/cache-configuration-error.js';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import { killClients } from '../support/server-view.js';
import { CoherenceRecorder, listen, listeningUser, prepare } from './fixtures/coherence.js';

const opened = new Opened();

/** Rules of a user who may do less. */
const RULES = {
  noTracking: '+ping +time +client|id',
  noInvalidations: '+ping +time +client|id +client|tracking',
  noPublish: '+ping -publish',
};

const start = (rules?: string) => opened.server({ acl: [listeningUser(rules)] });

async function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}

describe('where no coherence is asked for', () => {
  it('it is tracking where that is allowed', async () => {
    const server = await start();
    const { coherence, log } = await listen(opened, server.options);
    expect(coherence).toMatchObject({ mode: 'tracking', armed: true });
    expect(log.texts('CacheModule')).toEqual([]);
  });

  it.each([RULES.noTracking, RULES.noInvalidations])(
    'it is pubsub where the ACL says %s, and one warning says why',
    async (rules) => {
      const server = await start(rules);
      const { coherence, log } = await listen(opened, server.options);
      expect(coherence).toMatchObject({ mode: 'pubsub', armed: true });
      expect(log.texts('CacheModule')).toEqual([
        expect.stringMatching(
          /^Coherence 'tracking' .*NOPERM.*\+client\|id \+client\|tracking \+subscribe &__redis__:invalidate; going on with 'pubsub'$/,
        ),
      ]);
      await eventually(
        async () => String(await (await server.admin()).client('LIST')).split(':listener').length === 2,
      );
    },
  );

  it('it is none where messages are not allowed either', async () => {
    const server = await start(RULES.noPublish);
    const { coherence, log } = await listen(opened, server.options);
    expect(coherence).toMatchObject({ mode: 'none', armed: false });
    expect(log.texts('CacheModule')).toEqual([
      expect.stringMatching(/'tracking'.*; going on with 'pubsub'$/),
      expect.stringMatching(/'pubsub'.*NOPERM.*\+publish &app:cache:changed; going on with 'none'$/),
    ]);
  });

  it('it is pubsub where the server does not know CLIENT TRACKING', async () => {
    // What a server without it answers is what any server answers to a subcommand that it does not know.
    const server = await opened.server({
      acl: [listeningUser()],
      config: { 'rename-command': 'CLIENT CLIENT-OF-OLD' },
    });
    const { coherence, log } = await listen(opened, server.options);
    expect(coherence).toMatchObject({ mode: 'pubsub', armed: true });
    expect(log.texts('CacheModule')).toEqual([
      expect.stringMatching(/unknown command.*such as Redis 6 or newer; going on with 'pubsub'$/),
    ]);
  });

  it('it is decided when Redis answers, if it is away at the start', async () => {
    const server = await start(RULES.noTracking);
    await server.kill();
    const { coherence, log } = await prepare(opened, { ...server.options, startup: 'optional' });
    const from = performance.now();
    await coherence.start();
    expect(performance.now() - from).toBeLessThan(1_000);
    expect(coherence.armed).toBe(false);
    await server.restart();
    await eventually(() => coherence.armed);
    expect(coherence.mode).toBe('pubsub');
    expect(log.texts('CacheModule')).toHaveLength(1);
  });

  it('and Redis does not answer at all, the start does not wait for it', async () => {
    const server = await start();
    server.pause();
    const { coherence } = await prepare(opened, { ...server.options, startup: 'optional' });
    const from = performance.now();
    await coherence.start();
    expect(performance.now() - from).toBeLessThan(3_000);
    server.resume();
    await eventually(() => coherence.armed);
    expect(coherence.mode).toBe('tracking');
  });

  it('tracking that was allowed once is waited for', async () => {
    const server = await start();
    const { coherence, log } = await listen(opened, server.options);
    await (await server.admin()).acl('SETUSER', 'app', '-client|tracking');
    await killClients(server, ':listener');
    await eventually(() => log.texts('CacheModule').length === 2);
    await sleep(300);
    expect(coherence).toMatchObject({ mode: 'tracking', armed: false });
    expect(log.texts('CacheModule')[1]).toMatch(/NOPERM.*It is tried again$/);
    await (await server.admin()).acl('SETUSER', 'app', '+client|tracking');
    await killClients(server, ':listener');
    await eventually(() => coherence.armed);
  });
});

describe('where a coherence is asked for', () => {
  it('tracking that the ACL does not allow fails the start, and the error says what to do', async () => {
    const server = await start(RULES.noTracking);
    const { coherence } = await prepare(opened, server.options, 'tracking');
    const error = await failure(coherence.start());
    expect(error).toBeInstanceOf(CacheConfigurationError);
    expect(error).toMatchObject({
      message: expect.stringMatching(
        /coherence: 'tracking' .*'default' \(NOPERM.*\): allow its user \+client\|id \+client\|tracking \+subscribe &__redis__:invalidate, or set coherence to 'pubsub' or 'none'$/,
      ),
    });
    await eventually(async () => !String(await (await server.admin()).client('LIST')).includes(':listener'));
  });

  it('pubsub that the ACL does not allow fails the start', async () => {
    const server = await start(RULES.noPublish);
    const { coherence } = await prepare(opened, server.options, 'pubsub');
    const error = await failure(coherence.start());
    expect(error).toMatchObject({
      message: expect.stringMatching(
        /'pubsub'.*\+subscribe \+publish &app:cache:changed, or set coherence to 'none'$/,
      ),
    });
  });

  it('tracking that turns out not to be allowed later is told of, once, and tried again', async () => {
    const server = await start(RULES.noTracking);
    await server.kill();
    const { coherence, log } = await prepare(opened, { ...server.options, startup: 'optional' }, 'tracking');
    await coherence.start();
    await server.restart();
    await eventually(() => log.texts('CacheModule').length === 1);
    await killClients(server, ':listener');
    await sleep(500);
    expect(log.texts('CacheModule')).toEqual([
      expect.stringMatching(/'pubsub' or 'none'. It is tried again$/),
    ]);
    await (await server.admin()).acl('SETUSER', 'app', '+client|tracking', '&__redis__:invalidate');
    await killClients(server, ':listener');
    await eventually(() => coherence.armed);
  });

  it('none asks nothing of Redis, and neither does a cache without Redis', async () => {
    const server = await start(RULES.noTracking);
    const { coherence, events } = await listen(opened, server.options, 'none');
    for (const each of [
      coherence,
      createCoherence(undefined, undefined, { namespace: 'app' }, new CoherenceRecorder()),
    ]) {
      await each.start();
      each.announce(['app:cache:e:default:a']);
      expect(each).toMatchObject({ mode: 'none', armed: false });
      expect(each.shardOf(0)).toMatchObject({ armed: true, epoch: 1 });
      await each.stop();
    }
    expect(events.losses).toEqual([]);
    expect(String(await (await server.admin()).client('LIST'))).not.toContain(':listener');
  });
});
