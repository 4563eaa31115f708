import { BYTE_SIZE_EXPECTED, toBytes, type Problems, type Settings } from '../../redis/shared.js';
import type { Codec } from '../codecs/codec.js';
import { compressionProblem } from '../codecs/compression.js';
import { jsonCodec } from '../codecs/json-codec.js';
import { msgpackCodec } from '../codecs/msgpack-codec.js';
import { COMPRESSION_ALGORITHMS } from './cache-option-tree.js';
import type { ResolvedCacheOptions } from './resolved-cache-options.js';

const CODECS: Readonly<Record<'msgpack' | 'json', Codec>> = { msgpack: msgpackCodec, json: jsonCodec };

/** The least id of a codec that is not rednest's own. */
const FIRST_FREE_ID = 100;

export function resolveCodec(settings: Settings, problems: Problems): Codec {
  const codec = settings.converted('codec', asCodec, "'msgpack', 'json' or an object of id, encode, decode");
  if (!codec) return msgpackCodec;
  const isOwn = Object.values(CODECS).includes(codec);
  const isFree = Number.isInteger(codec.id) && codec.id >= FIRST_FREE_ID && codec.id <= 255;
  if (!isOwn && !isFree) {
    problems.add(
      'codec.id',
      `${String(codec.id)} is not an id for a codec of your own (an integer of 100 to 255)`,
    );
  }
  return codec;
}

function asCodec(value: unknown): Codec | undefined {
  if (value === 'msgpack' || value === 'json') return CODECS[value];
  if (typeof value !== 'object' || value === null) return undefined;
  const { encode, decode } = value as Partial<Codec>;
  return typeof encode === 'function' && typeof decode === 'function' ? (value as Codec) : undefined;
}

export function resolveCompression(
  settings: Settings,
  problems: Problems,
): ResolvedCacheOptions['compression'] {
  const given = settings.find('compression')?.value;
  if (given === undefined || given === false) return undefined;
  if (given === true && !settings.has('compression.algorithm'))
    problems.add('compression.algorithm', `is missing: ${COMPRESSION_ALGORITHMS.join(', ')} are accepted`);
  const path = given === true ? 'compression.algorithm' : 'compression';
  const algorithm = settings.choice(path, COMPRESSION_ALGORITHMS) ?? 'gzip';
  const problem = compressionProblem(algorithm);
  if (problem) problems.add(path, problem);
  const threshold = settings.converted('compression.threshold', toBytes, BYTE_SIZE_EXPECTED) ?? 4_096;
  return { algorithm, threshold };
}
