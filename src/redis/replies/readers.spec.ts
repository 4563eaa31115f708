import { describe, expect, it } from '@jest/globals';
import { Info } from './info.js';
import { canEvict, readMemory } from './memory.js';
import { readPersistence } from './persistence.js';
import { readReplication } from './replication.js';

function infoOf(fields: Record<string, string | number>): Info {
  return new Info(
    Object.entries(fields)
      .map(([field, value]) => `${field}:${value}\r\n`)
      .join(''),
  );
}

describe('what INFO tells of memory', () => {
  it('is compared as the server does', () => {
    const full = { used_memory: 120, mem_not_counted_for_evict: 20, maxmemory: 100 };
    expect(readMemory(infoOf(full)).ratio).toBe(1);
    expect(readMemory(infoOf({ ...full, mem_not_counted_for_evict: 130 })).ratio).toBe(0);
    expect(readMemory(infoOf({ ...full, maxmemory: 0 }))).toMatchObject({
      limit: undefined,
      ratio: undefined,
    });
  });

  it.each([
    ['noeviction', 'keys=2,expires=2,avg_ttl=0', false],
    ['allkeys-lru', 'keys=2,expires=0,avg_ttl=0', true],
    ['volatile-lru', 'keys=2,expires=1,avg_ttl=0', true],
    // Nothing expires: the policy comes to noeviction.
    ['volatile-lru', 'keys=2,expires=0,avg_ttl=0', false],
  ])('knows what %s lets a server with %s evict', (policy, database, expected) => {
    expect(canEvict(policy, infoOf({ db0: database }))).toBe(expected);
  });

  it('does not guess what is not told', () => {
    expect(canEvict('volatile-ttl', undefined)).toBeUndefined();
    expect(canEvict('allkeys-lfu', undefined)).toBe(true);
    expect(readMemory(infoOf({}))).toEqual({});
  });
});

describe('what INFO tells of replication', () => {
  it('are the replicas of a master, and how far those are behind that follow', () => {
    const { role, replicas, link } = readReplication(
      infoOf({
        role: 'master',
        slave0: 'ip=10.0.0.2,port=6379,state=online,offset=90,lag=0',
        slave1: 'ip=10.0.0.3,port=6379,state=wait_bgsave,offset=0,lag=0',
        slave2: 'ip=10.0.0.4,port=6379,state=online,offset=0,lag=1',
        master_repl_offset: 100,
      }),
    );
    expect({ role, link }).toEqual({ role: 'master', link: undefined });
    expect(replicas).toEqual([
      { replica: '10.0.0.2:6379', state: 'online', isInStep: true, behind: 10, lastHeard: 0 },
      { replica: '10.0.0.3:6379', state: 'wait_bgsave', isInStep: false, behind: undefined, lastHeard: 0 },
      // It has not confirmed anything yet.
      { replica: '10.0.0.4:6379', state: 'online', isInStep: true, behind: undefined, lastHeard: 1_000 },
    ]);
  });

  it('is the link of a replica', () => {
    const reply = {
      role: 'slave',
      master_link_status: 'up',
      master_last_io_seconds_ago: 2,
      master_sync_in_progress: 0,
      slave_read_repl_offset: 70,
      slave_repl_offset: 50,
    };
    const up = { state: 'up', lastHeard: 2_000, syncing: false, behind: 20 };
    expect(readReplication(infoOf(reply))).toMatchObject({ role: 'replica', link: up });
    const down = { ...reply, master_link_status: 'down', master_last_io_seconds_ago: -1 };
    expect(readReplication(infoOf(down)).link).toMatchObject({ state: 'down', lastHeard: undefined });
    const copying = { ...down, master_sync_in_progress: 1, master_sync_left_bytes: 300 };
    expect(readReplication(infoOf(copying)).link).toMatchObject({ syncLeft: 300, behind: undefined });
  });
});

describe('what INFO tells of persistence', () => {
  it('is failed where it is told and not well', () => {
    const { rdb, aof } = readPersistence(
      infoOf({ rdb_last_bgsave_status: 'err', aof_enabled: 0, aof_last_write_status: 'ok' }),
    );
    expect(rdb.lastStatus).toBe('failed');
    expect(aof).toMatchObject({ enabled: false, lastWriteStatus: 'ok', lastRewriteStatus: undefined });
  });
});
