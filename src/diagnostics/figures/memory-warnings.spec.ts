import { describe, expect, it } from '@jest/globals';
import { memoryWarnings } from './memory-warnings.js';
import type { MemoryFigures } from './reports.js';

const MB = 1_024 * 1_024;

interface Given {
  readonly used: number;
  readonly limit?: number;
  readonly policy?: string;
  readonly peak?: number;
  readonly fragmentation?: number;
  readonly evicted?: number;
  readonly canEvict?: boolean | undefined;
}

function figures({
  used,
  limit = 100,
  policy = 'noeviction',
  peak = used,
  fragmentation = 1.1,
  evicted = 0,
  canEvict = policy !== 'noeviction',
}: Given) {
  const bytes = limit === 0 ? undefined : limit * MB;
  return {
    node: 'a:1',
    used: used * MB,
    peak: peak * MB,
    resident: used * fragmentation * MB,
    fragmentation,
    limit: bytes,
    ratio: bytes && (used * MB) / bytes,
    policy,
    canEvict,
    evicted,
  } satisfies MemoryFigures & { node: string };
}

function warnings(given: Given): string[] {
  return memoryWarnings([figures(given)]);
}

describe('memoryWarnings', () => {
  it.each<Given>([
    { used: 10 },
    { used: 79, policy: 'noeviction' },
    { used: 90, policy: 'allkeys-lru', evicted: 5 },
    { used: 10, fragmentation: 9 },
    { used: 63, fragmentation: 0.5 },
    { used: 70, fragmentation: 1.4 },
  ])('has none for %j', (given) => {
    expect(warnings(given)).toEqual([]);
  });

  it('tells of a server without a limit', () => {
    expect(warnings({ used: 10, limit: 0 })).toEqual([expect.stringMatching(/no limit \(maxmemory is 0\)/)]);
  });

  it('tells of one that is nearly full and evicts nothing', () => {
    expect(warnings({ used: 80 })).toEqual([
      '80 % of the limit of 100.0 MB is used (80.0 MB), and nothing may be evicted (noeviction): writes are refused once it is full.',
    ]);
  });

  it('tells of one that evicts', () => {
    expect(warnings({ used: 99, policy: 'allkeys-lru', evicted: 7 })).toEqual([
      expect.stringMatching(/keys are evicted to make room \(allkeys-lru\); 7 have been since it started/),
    ]);
  });

  it('tells of one whose policy finds nothing to evict', () => {
    expect(warnings({ used: 80, policy: 'volatile-lru', canEvict: false })).toEqual([
      expect.stringMatching(
        /nothing may be evicted \(volatile-lru, and no key expires\): writes are refused/,
      ),
    ]);
  });

  it('tells of a high peak', () => {
    expect(warnings({ used: 20, peak: 95 })).toEqual([
      'At its peak, 95 % of the limit of 100.0 MB was used.',
    ]);
  });

  it('tells of fragmentation, and of swapping', () => {
    expect(warnings({ used: 70, fragmentation: 1.8 })).toEqual([
      expect.stringMatching(/fragmented.*1\.80 times/),
    ]);
    expect(warnings({ used: 70, fragmentation: 0.5 })).toEqual([expect.stringMatching(/swapped out/)]);
  });

  it('says of which node, where there are several', () => {
    const nodes = [figures({ used: 10 }), { ...figures({ used: 90 }), node: 'b:2' }];
    expect(memoryWarnings(nodes)).toEqual([expect.stringMatching(/^b:2: 90 % of the limit/)]);
  });
});
