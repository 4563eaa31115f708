import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { closestName } from './did-you-mean.js';

const names = [
  'host',
  'port',
  'password',
  'username',
  'clientName',
  'connectTimeout',
  'commandTimeout',
  'db',
];

describe('closestName', () => {
  it.each([
    ['hots', 'host'],
    ['prt', 'port'],
    ['pasword', 'password'],
    ['passwrod', 'password'],
    ['clientname', 'clientName'],
    ['conectTimeuot', 'connectTimeout'],
  ])('takes %p for %p', (name, meant) => {
    expect(closestName(name, names)).toBe(meant);
  });

  it.each(['retryStrategy', 'x', '', 'toString', 'family'])('has no idea what %p was meant to be', (name) => {
    expect(closestName(name, names)).toBeUndefined();
  });

  it('finds a name with one letter left out, doubled, or swapped with the next', () => {
    const long = names.filter((name) => name.length > 3);
    fc.assert(
      fc.property(
        fc.constantFrom(...long),
        fc.nat(),
        fc.constantFrom('drop', 'double', 'swap'),
        (name, seed, slip) => {
          const index = seed % (name.length - 1);
          const [before, letter, next, after] = [
            name.slice(0, index),
            name[index],
            name[index + 1],
            name.slice(index + 2),
          ];
          const slips = { drop: `${next}`, double: `${letter}${letter}${next}`, swap: `${next}${letter}` };
          expect(closestName(`${before}${slips[slip]}${after}`, names)).toBe(name);
        },
      ),
    );
  });
});
