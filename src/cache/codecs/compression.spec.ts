import { randomBytes } from 'node:crypto';
import * as zlib from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import type { CompressionAlgorithm } from '../options/cache-options.js';
import { assertCompression, compress, compressionProblem, decompress } from './compression.js';

const hasZstd = 'zstdCompress' in zlib;
const available: CompressionAlgorithm[] = hasZstd ? ['gzip', 'brotli', 'zstd'] : ['gzip', 'brotli'];

describe.each(available)('compression by %s', (algorithm) => {
  const text = Buffer.from('the same again, '.repeat(1_000));

  it('gives back what it was given, and is smaller', async () => {
    const compressed = await compress(algorithm, text);
    expect(compressed.length).toBeLessThan(text.length / 10);
    expect(await decompress(algorithm, compressed, text.length)).toStrictEqual(text);
  });

  it('stops a bomb at the limit', async () => {
    const bomb = await compress(algorithm, Buffer.alloc(50_000_000));
    expect(bomb.length).toBeLessThan(100_000);
    await expect(decompress(algorithm, bomb, 1_000_000)).rejects.toThrow();
    await expect(decompress(algorithm, bomb, 0)).rejects.toThrow();
  });

  it('takes a limit of any size', async () => {
    const compressed = await compress(algorithm, text);
    expect(await decompress(algorithm, compressed, Number.MAX_SAFE_INTEGER)).toStrictEqual(text);
  });

  it('rejects for what it did not compress, and for half of it', async () => {
    await expect(decompress(algorithm, randomBytes(100), 1_000)).rejects.toThrow();
    await expect(decompress(algorithm, Buffer.alloc(0), 1_000)).rejects.toThrow();
    const compressed = await compress(algorithm, text);
    await expect(
      decompress(algorithm, compressed.subarray(0, compressed.length / 2), text.length),
    ).rejects.toThrow();
  });

  it('is accepted as an option', () => {
    expect(compressionProblem(algorithm)).toBeUndefined();
    expect(() => assertCompression(algorithm)).not.toThrow();
  });
});

const whereMissing = hasZstd ? it.skip : it;
whereMissing('says what zstd needs where this Node does not have it', async () => {
  expect(() => assertCompression('zstd')).toThrow(
    /- compression: 'zstd' needs Node 22\.15 or later, and this is v/,
  );
  await expect(decompress('zstd', Buffer.alloc(10), 100)).rejects.toThrow("'zstd' needs Node 22.15");
});
