import { describe, expect, it } from '@jest/globals';
import { readNodeFacts } from './node-facts.js';

const replyOf = (fields: Record<string, string | number>): string =>
  `# Section\r\n${Object.entries(fields)
    .map(([field, value]) => `${field}:${value}\r\n`)
    .join('')}`;

const memoryOf = (fields: Record<string, string | number>) => readNodeFacts(replyOf(fields)).memory;

describe('what a check reads of INFO', () => {
  it('compares memory as the server does', () => {
    const full = { used_memory: 120, mem_not_counted_for_evict: 20, maxmemory: 100 };
    expect(memoryOf(full).ratio).toBe(1);
    expect(memoryOf({ ...full, maxmemory: 0 }).ratio).toBeUndefined();
  });

  it.each([
    ['noeviction', 'keys=2,expires=2,avg_ttl=0', false],
    ['allkeys-lru', 'keys=2,expires=0,avg_ttl=0', true],
    ['volatile-lru', 'keys=2,expires=1,avg_ttl=0', true],
    // Nothing expires: the policy comes to noeviction.
    ['volatile-lru', 'keys=2,expires=0,avg_ttl=0', false],
  ])('knows what %s lets a server with %s evict', (policy, database, canEvict) => {
    expect(memoryOf({ maxmemory_policy: policy, db0: database })).toMatchObject({ policy, canEvict });
  });

  it('knows the replicas of a master, and how far they are behind', () => {
    const { role, replicas, link } = readNodeFacts(
      replyOf({
        role: 'master',
        slave0: 'ip=10.0.0.2,port=6379,state=online,offset=90,lag=0',
        slave1: 'ip=10.0.0.3,port=6379,state=wait_bgsave,offset=0,lag=0',
        master_repl_offset: 100,
      }),
    );
    expect({ role, replicas, link }).toEqual({
      role: 'master',
      replicas: [
        { isInStep: true, behind: 10 },
        { isInStep: false, behind: 100 },
      ],
      link: undefined,
    });
  });

  it('knows the link of a replica', () => {
    const reply = {
      role: 'slave',
      master_link_status: 'up',
      master_last_io_seconds_ago: 2,
      slave_read_repl_offset: 70,
      slave_repl_offset: 50,
    };
    const up = { state: 'up', lastHeard: 2_000, behind: 20 };
    expect(readNodeFacts(replyOf(reply))).toMatchObject({ role: 'replica', link: up });
    const lost = readNodeFacts(
      replyOf({ ...reply, master_link_status: 'down', master_last_io_seconds_ago: -1 }),
    );
    expect(lost.link).toMatchObject({ state: 'down', lastHeard: undefined });
  });

  it('does without what a server does not tell', () => {
    expect(readNodeFacts('')).toMatchObject({
      isLoading: false,
      role: undefined,
      memory: { ratio: undefined, policy: undefined, canEvict: false },
      rdb: undefined,
      aof: undefined,
      link: undefined,
      replicas: [],
    });
  });
});
