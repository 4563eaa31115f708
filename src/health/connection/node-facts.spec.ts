import { describe, expect, it } from '@jest/globals';
import { readNodeFacts } from './node-facts.js';

describe('what a check reads of INFO', () => {
  it('is whether the append-only file can be written, where there is one', () => {
    const reply = (enabled: number) =>
      `aof_enabled:${enabled}\r\naof_last_write_status:ok\r\naof_last_bgrewrite_status:err\r\n`;
    expect(readNodeFacts(reply(1)).aof).toBe('failed');
    expect(readNodeFacts(reply(0)).aof).toBe('off');
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
