import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import * as suite from '@keyv/test-suite';
import { Keyv } from 'keyv';
import { KeyvCacheStore } from 'rednest/keyv';
import { startCluster, startRedis, type RedisCluster, type RedisServer } from 'rednest/testing';
import { refusals } from '../support/server-view.js';
import { CACHE_USER, Replicas } from './fixtures/keyv-cache.js';

type Test = Parameters<typeof suite.keyvApiTests>[0];

/** The suite is written for another runner, whose tests are given their `expect`. */
const runner = {
  it: (name: string, test: (context: { expect: typeof expect }) => unknown) =>
    it(name, async () => {
      await test({ expect });
    }),
  beforeEach,
  afterEach,
} as unknown as Test;

const PLACES: [string, (() => Promise<RedisServer | RedisCluster>)?][] = [
  ['a single server with TLS', () => startRedis({ tls: true, acl: [CACHE_USER] })],
  ['a Cluster with TLS', () => startCluster({ masters: 3, replicas: 0, tls: true, acl: [CACHE_USER] })],
  ['no server at all'],
];

describe.each(PLACES)("Keyv's own tests pass under the guide's smallest ACL on %s", (_, startServers) => {
  const replicas = new Replicas(startServers);
  const store = (): KeyvCacheStore => new KeyvCacheStore(replicas.at(0).cache);

  describe('api', () => suite.keyvApiTests(runner, Keyv, store));
  describe('values', () => suite.keyvValueTests(runner, Keyv, store));
  describe('namespaces', () => suite.keyvNamespaceTest(runner, Keyv, store));
  describe('iterator', () => suite.keyvIteratorTests(runner, Keyv, store));

  it('and nothing else was tried', async () => {
    if (!startServers) return;
    const { servers } = replicas;
    for (const server of 'nodes' in servers ? servers.nodes : [servers])
      expect(await refusals(server)).toEqual({});
  });
});
