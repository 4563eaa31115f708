import { describe, expect, it } from '@jest/globals';
import { byPopulation, foldName, nameMember, nameRange, nameTier, parseNameMember } from './name-index.js';

describe('foldName', () => {
  it.each([
    ['Zürich', 'zurich'],
    ['ZÜRICH', 'zurich'],
    ['Zu\u0308rich', 'zurich'],
    ['İstanbul', 'istanbul'],
    ['Iğdır', 'igdir'],
    ['Łódź', 'lodz'],
    ['Tromsø', 'tromso'],
    ['Đà Nẵng', 'da nang'],
    ['Weißenburg', 'weissenburg'],
    ['Œuilly', 'oeuilly'],
    ['Þorlákshöfn', 'thorlakshofn'],
    ['L’Aquila', "l'aquila"],
    ['Москва', 'москва'],
    ['  Bern ', 'bern '],
    ['Bern\0', 'bern'],
  ])('folds %s to %s', (name, folded) => {
    expect(foldName(name)).toBe(folded);
  });
});

describe('nameTier', () => {
  it.each([
    [22_315_474, 0],
    [100_000, 0],
    [99_999, 1],
    [10_000, 1],
    [9_999, 2],
    [0, 2],
  ])('puts %d inhabitants into tier %d', (population, tier) => {
    expect(nameTier(population)).toBe(tier);
  });
});

describe('a member of the index', () => {
  it('carries id and population', () => {
    expect(parseNameMember(nameMember('Zürich', { id: 2657896, population: 341_730 }))).toEqual({
      id: 2657896,
      population: 341_730,
    });
  });

  it('lies within the range of its beginnings only', () => {
    const member = Buffer.from(nameMember('Züric', { id: 1, population: 2 }));
    const within = (prefix: string) => {
      const [from, to] = nameRange(prefix).map((bound) => bound.subarray(1)) as [Buffer, Buffer];
      return member.compare(from) >= 0 && member.compare(to) < 0;
    };
    expect(['', 'z', 'ZÜ', 'zuric'].map(within)).toEqual([true, true, true, true]);
    expect(['zurich', 'y', 'zurid', 'zu\u{10ffff}', 'uric'].map(within)).toEqual([
      false,
      false,
      false,
      false,
      false,
    ]);
  });
});

it('orders by population, and equals by id', () => {
  const entries = [
    { id: 3, population: 10 },
    { id: 2, population: 10 },
    { id: 1, population: 20 },
  ];
  expect(entries.toSorted(byPopulation).map(({ id }) => id)).toEqual([1, 2, 3]);
});
