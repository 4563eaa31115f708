import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';

// A first build, then the import of all cities.
const deadline = 180_000;

describe('npm run replicas', () => {
  it(
    'shows that a change by one replica reaches what the other has cached, that no place is sold twice, and who goes on; and ends',
    async () => {
      const { REDIS_URL: _url, ...env } = process.env;
      const { stdout } = await promisify(execFile)(process.execPath, ['scripts/replicas.mjs'], {
        env,
        timeout: deadline,
      });
      const answers = [...stdout.matchAll(/^ {2}([AB]) {2}GET .*?(MISS|HIT) .*?population (\d+)/gm)];
      const [first, second, third, changed, restored] = answers.map(([, name, source, population]) => ({
        name,
        source,
        population: Number(population),
      }));
      expect(first).toMatchObject({ name: 'A', source: 'MISS' });
      expect(second).toEqual({ name: 'B', source: 'HIT', population: first!.population });
      expect(third).toEqual(second);
      expect(changed).toEqual({ name: 'B', source: 'MISS', population: first!.population + 1 });
      expect(restored).toMatchObject({ name: 'A', population: first!.population });
      const sold = [...stdout.matchAll(/^ {2}[AB] {2}POST .*?(\d+) sold/gm)].map(([, count]) =>
        Number(count),
      );
      expect(sold).toHaveLength(2);
      expect(sold[0]! + sold[1]!).toBe(8);
      expect(stdout).toMatch('The other knew who it was.');
      expect(stdout.match(/does it$/gm)).toHaveLength(1);
      expect(stdout).toMatch(/^ {2}([AB]) {2}leads, and is stopped\n {2}(?!\1)[AB] {2}leads, \d+ ms later$/m);
    },
    deadline,
  );
});
