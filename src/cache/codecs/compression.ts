import { constants as bufferConstants } from 'node:buffer';
import { promisify } from 'node:util';
import * as zlib from 'node:zlib';
import { RedisConfigurationError } from '../../redis/index.js';
import type { CompressionAlgorithm } from '../options/cache-options.js';

interface DecompressionLimit {
  readonly maxOutputLength: number;
}

interface Compressor {
  compress(bytes: Buffer): Promise<Buffer>;
  decompress(bytes: Buffer, limit: DecompressionLimit): Promise<Buffer>;
}

type ZlibCallback = (error: Error | null, bytes: Buffer) => void;

/** Since Node 22.15 and 23.8. */
interface Zstd {
  zstdCompress?: (bytes: Buffer, callback: ZlibCallback) => void;
  zstdDecompress?: (bytes: Buffer, options: DecompressionLimit, callback: ZlibCallback) => void;
}

const gzip = promisify<zlib.InputType, Buffer>(zlib.gzip);
const gunzip = promisify<zlib.InputType, zlib.ZlibOptions, Buffer>(zlib.gunzip);
const brotli = promisify<zlib.InputType, zlib.BrotliOptions, Buffer>(zlib.brotliCompress);
const unbrotli = promisify<zlib.InputType, zlib.BrotliOptions, Buffer>(zlib.brotliDecompress);

/** The default, 11, is for what is compressed once and sent for years: it takes a hundred times as long. */
const BROTLI_QUALITY = 4;

const COMPRESSORS: Readonly<Record<CompressionAlgorithm, Compressor | undefined>> = {
  gzip: { compress: (bytes) => gzip(bytes), decompress: gunzip },
  brotli: {
    compress: (bytes) =>
      brotli(bytes, {
        params: {
          [zlib.constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY,
          [zlib.constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
        },
      }),
    decompress: unbrotli,
  },
  zstd: zstdOf(zlib as Zstd),
};

function zstdOf({ zstdCompress, zstdDecompress }: Zstd): Compressor | undefined {
  if (!zstdCompress || !zstdDecompress) return undefined;
  return {
    compress: promisify<Buffer, Buffer>(zstdCompress),
    decompress: promisify<Buffer, DecompressionLimit, Buffer>(zstdDecompress),
  };
}

/** Why an algorithm cannot be used here, or undefined where it can: zstd needs Node 22.15 (or 23.8) and later. */
export function compressionProblem(algorithm: CompressionAlgorithm): string | undefined {
  if (COMPRESSORS[algorithm]) return undefined;
  return `'${algorithm}' needs Node 22.15 or later, and this is ${process.version}: use 'gzip' or 'brotli'`;
}

/** @throws RedisConfigurationError where this Node does not have the algorithm */
export function assertCompression(algorithm: CompressionAlgorithm): void {
  const message = compressionProblem(algorithm);
  if (message !== undefined)
    throw new RedisConfigurationError(undefined, [{ option: 'compression', message }]);
}

/** Compresses in a thread of its own. */
export async function compress(algorithm: CompressionAlgorithm, bytes: Buffer): Promise<Buffer> {
  return compressorOf(algorithm).compress(bytes);
}

/**
 * Decompresses in a thread of its own. Rejects for what is not compressed by that algorithm, and for what becomes larger than the limit.
 *
 * @param limit bytes of the result at most: a few bytes can stand for gigabytes
 */
export async function decompress(
  algorithm: CompressionAlgorithm,
  bytes: Buffer,
  limit: number,
): Promise<Buffer> {
  const maxOutputLength = Math.max(1, Math.min(limit, bufferConstants.MAX_LENGTH));
  return compressorOf(algorithm).decompress(bytes, { maxOutputLength });
}

function compressorOf(algorithm: CompressionAlgorithm): Compressor {
  const compressor = COMPRESSORS[algorithm];
  if (!compressor) throw new Error(compressionProblem(algorithm));
  return compressor;
}
