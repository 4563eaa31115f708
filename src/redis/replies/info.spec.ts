import { describe, expect, it } from '@jest/globals';
import { Info } from './info.js';

const REDIS_6 = [
  '# Memory',
  'used_memory:1048576',
  'used_memory_human:1.00M',
  'maxmemory:0',
  'maxmemory_policy:noeviction',
  'mem_fragmentation_ratio:3.75',
  '',
  '# Commandstats',
  'cmdstat_get:calls=12,usec=34,usec_per_call=2.83,rejected_calls=1,failed_calls=0',
  'cmdstat_config:calls=2,usec=80,usec_per_call=40.00,rejected_calls=0,failed_calls=0',
  '',
].join('\r\n');

const REDIS_7 = [
  '# Commandstats',
  'cmdstat_config|get:calls=2,usec=80,usec_per_call=40.00,rejected_calls=0,failed_calls=0',
  'cmdstat_FT.SEARCH:calls=3,usec=9,usec_per_call=3.00,rejected_calls=0,failed_calls=0',
  '',
  '# Keyspace',
  'db0:keys=5,expires=2,avg_ttl=2500,subexpiry=0',
  'db11:keys=1,expires=0,avg_ttl=0,subexpiry=0',
  '',
].join('\r\n');

const VALKEY_8 = [
  '# Replication',
  'role:master',
  'connected_slaves:2',
  'slave0:ip=10.0.0.2,port=6379,state=online,offset=70,lag=0,type=replica',
  'slave1:ip=fd00::2,port=6380,state=wait_bgsave,offset=0,lag=0,type=main-channel',
  'replicas_waiting_psync:0',
  'master_repl_offset:84',
  '',
  '# Keyspace',
  'db0:keys=5,expires=2,avg_ttl=2500,keys_with_volatile_items=0',
].join('\r\n');

describe('Info', () => {
  it('reads fields of Redis 6.2', () => {
    const info = new Info(REDIS_6);
    expect(info.number('used_memory')).toBe(1_048_576);
    expect(info.number('mem_fragmentation_ratio')).toBe(3.75);
    expect(info.text('maxmemory_policy')).toBe('noeviction');
    expect(info.number('used_memory_human')).toBeUndefined();
    const stats = info.records(/^cmdstat_(.+)$/);
    expect(stats.map(({ name, record }) => [name, record.count('calls')])).toEqual([
      ['get', 12],
      ['config', 2],
    ]);
    expect(stats[0]?.record.number('rejected_calls')).toBe(1);
  });

  it('reads subcommands, commands of modules and databases of Redis 7.4', () => {
    const info = new Info(REDIS_7);
    expect(info.records(/^cmdstat_(.+)$/).map(({ name }) => name)).toEqual(['config|get', 'FT.SEARCH']);
    const databases = info.records(/^db(\d+)$/);
    expect(
      databases.map(({ name, record }) => [name, record.count('keys'), record.count('avg_ttl')]),
    ).toEqual([
      ['0', 5, 2_500],
      ['11', 1, 0],
    ]);
  });

  it('reads replicas of Valkey 8, by IPv6 too, and nothing else as one', () => {
    const replicas = new Info(VALKEY_8).records(/^slave(\d+)$/);
    expect(replicas.map(({ record }) => [record.text('ip'), record.count('offset')])).toEqual([
      ['10.0.0.2', 70],
      ['fd00::2', 0],
    ]);
  });

  it.each(['', '\r\n', '# Memory', 'used_memory', ':5', 'HTTP/1.1 400 Bad Request', '\u0000\u0001'])(
    'finds nothing in %j',
    (text) => {
      const info = new Info(text);
      expect(info.text('used_memory')).toBeUndefined();
      expect(info.count('used_memory')).toBe(0);
      expect(info.isSet('used_memory')).toBe(false);
      expect(info.records(/^db(\d+)$/)).toEqual([]);
    },
  );

  it('takes no number for one that is none', () => {
    const info = new Info('a:\r\nb:12abc\r\nc:Infinity\r\nd:nan\r\ne:-1\r\ndb0:keys\r\n');
    expect(['a', 'b', 'c', 'd', 'e'].map((field) => info.number(field))).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
      -1,
    ]);
    expect(info.records(/^db(\d+)$/)[0]?.record.count('keys')).toBe(0);
  });
});
