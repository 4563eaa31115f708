import type { CompressionAlgorithm } from '../options/cache-options.js';
import type { CacheEntry, EntryKind } from './entry.js';

/** `lease`: no value yet, only the right of a process to make it. */
export type RecordKind = 'lease' | EntryKind;

/** What a record says of its payload. */
export interface RecordFields extends Pick<
  CacheEntry,
  'born' | 'freshUntil' | 'staleUntil' | 'cost' | 'tags' | 'stamps'
> {
  readonly kind: RecordKind;
  readonly codec: number;
  readonly compression: CompressionAlgorithm | undefined;
  /** Whether the payload is an envelope. Its kind, codec and compression are then those of what is in it. */
  readonly isEncrypted: boolean;
  /** 8 characters of Latin-1, or '' for no lease. */
  readonly leaseToken: string;
  readonly leaseUntil: number;
}

/** A record that was read, up to its payload. */
export interface StoredRecordHead extends RecordFields {
  readonly payloadStart: number;
  readonly payloadEnd: number;
}

/** Bytes before the tags. The layout (little-endian) is also known to the Lua scripts, which read and change the lease and the times. */
export const HEAD_LENGTH = 68;
const MAGIC_R = 0x52;
const MAGIC_C = 0x43;
const VERSION = 1;
const LITTLE_ENDIAN = true;

const AT_VERSION = 2;
const AT_KIND = 3;
const AT_CODEC = 4;
const AT_COMPRESSION = 5;
const AT_TAG_COUNT = 6;
const AT_LEASE_TOKEN = 8;
const AT_LEASE_UNTIL = 16;
const AT_BORN = 24;
const AT_FRESH_UNTIL = 32;
const AT_STALE_UNTIL = 40;
const AT_COST = 48;
const AT_TAGS_LENGTH = 52;
const AT_GENERATION = 56;
const AT_PAYLOAD_LENGTH = 64;

/** Of a tag: its stamp, then the length of its text. */
const TAG_HEAD_LENGTH = 10;
const LONGEST_TAG = 0xffff;
const MOST_TAGS = 0xffff;

/** Their places are the numbers in a record. */
const KINDS: readonly RecordKind[] = ['lease', 'value', 'undefined', 'error'];
const COMPRESSIONS: readonly (CompressionAlgorithm | undefined)[] = [undefined, 'gzip', 'brotli', 'zstd'];
/** Stands beside the compression, where versions that know nothing of encryption find no algorithm: a miss. */
const ENCRYPTED = 0x80;

const NO_TAGS: readonly string[] = Object.freeze([]);

/**
 * The bytes of a record.
 *
 * @throws RangeError for more than 65,535 tags, or a tag of more than 65,535 bytes
 */
export function writeRecord(fields: RecordFields, payload: Buffer): Buffer {
  const tagsLength = lengthOfTags(fields.tags);
  const payloadStart = HEAD_LENGTH + tagsLength;
  const bytes = Buffer.allocUnsafe(payloadStart + payload.length);
  bytes[0] = MAGIC_R;
  bytes[1] = MAGIC_C;
  bytes[AT_VERSION] = VERSION;
  bytes[AT_KIND] = KINDS.indexOf(fields.kind);
  bytes[AT_CODEC] = fields.codec;
  bytes[AT_COMPRESSION] = COMPRESSIONS.indexOf(fields.compression) | (fields.isEncrypted ? ENCRYPTED : 0);
  bytes.writeUInt16LE(fields.tags.length, AT_TAG_COUNT);
  bytes.fill(0, AT_LEASE_TOKEN, AT_LEASE_UNTIL);
  if (fields.leaseToken !== '') bytes.write(fields.leaseToken, AT_LEASE_TOKEN, 8, 'latin1');
  bytes.writeDoubleLE(fields.leaseUntil, AT_LEASE_UNTIL);
  bytes.writeDoubleLE(fields.born, AT_BORN);
  bytes.writeDoubleLE(fields.freshUntil, AT_FRESH_UNTIL);
  bytes.writeDoubleLE(fields.staleUntil, AT_STALE_UNTIL);
  bytes.writeFloatLE(fields.cost, AT_COST);
  bytes.writeUInt32LE(tagsLength, AT_TAGS_LENGTH);
  bytes.writeDoubleLE(fields.stamps[fields.tags.length] ?? 0, AT_GENERATION);
  bytes.writeUInt32LE(payload.length, AT_PAYLOAD_LENGTH);
  writeTags(bytes, fields);
  payload.copy(bytes, payloadStart);
  return bytes;
}

function lengthOfTags(tags: readonly string[]): number {
  if (tags.length > MOST_TAGS) throw new RangeError(`${tags.length} tags are more than ${MOST_TAGS}`);
  let length = 0;
  for (const tag of tags) {
    const tagLength = Buffer.byteLength(tag);
    if (tagLength > LONGEST_TAG)
      throw new RangeError(`A tag of ${tagLength} bytes is longer than ${LONGEST_TAG}`);
    length += TAG_HEAD_LENGTH + tagLength;
  }
  return length;
}

function writeTags(bytes: Buffer, { tags, stamps }: RecordFields): void {
  let at = HEAD_LENGTH;
  for (const [index, tag] of tags.entries()) {
    const length = bytes.write(tag, at + TAG_HEAD_LENGTH);
    bytes.writeDoubleLE(stamps[index] ?? 0, at);
    bytes.writeUInt16LE(length, at + 8);
    at += TAG_HEAD_LENGTH + length;
  }
}

/**
 * The record in these bytes, or undefined where they are none, or a damaged one. Does not look at the payload.
 *
 * @param length how many of the bytes there are
 * @param view of the bytes, for who has one: to make it costs as much as to read
 */
export function readRecord(
  bytes: Buffer,
  length = bytes.length,
  view = new DataView(bytes.buffer, bytes.byteOffset, length),
): StoredRecordHead | undefined {
  if (length < HEAD_LENGTH) return undefined;
  if (bytes[0] !== MAGIC_R || bytes[1] !== MAGIC_C || bytes[AT_VERSION] !== VERSION) return undefined;
  const kind = KINDS[bytes[AT_KIND] as number];
  const compressionByte = bytes[AT_COMPRESSION] as number;
  const compressionCode = compressionByte & ~ENCRYPTED;
  if (kind === undefined || compressionCode >= COMPRESSIONS.length) return undefined;
  const payloadStart = HEAD_LENGTH + view.getUint32(AT_TAGS_LENGTH, LITTLE_ENDIAN);
  const payloadEnd = payloadStart + view.getUint32(AT_PAYLOAD_LENGTH, LITTLE_ENDIAN);
  if (payloadEnd !== length) return undefined;
  const stamps: number[] = [];
  const tags = readTags(bytes, payloadStart, stamps, view);
  const generation = view.getFloat64(AT_GENERATION, LITTLE_ENDIAN);
  const head = {
    kind,
    codec: bytes[AT_CODEC] as number,
    compression: COMPRESSIONS[compressionCode],
    isEncrypted: compressionByte >= ENCRYPTED,
    leaseToken: readLeaseToken(bytes, view),
    leaseUntil: view.getFloat64(AT_LEASE_UNTIL, LITTLE_ENDIAN),
    born: view.getFloat64(AT_BORN, LITTLE_ENDIAN),
    freshUntil: view.getFloat64(AT_FRESH_UNTIL, LITTLE_ENDIAN),
    staleUntil: view.getFloat64(AT_STALE_UNTIL, LITTLE_ENDIAN),
    cost: view.getFloat32(AT_COST, LITTLE_ENDIAN),
    tags: tags ?? NO_TAGS,
    // A list that something is added to takes place for 17.
    stamps: stamps.length === 0 ? [generation] : [...stamps, generation],
    payloadStart,
    payloadEnd,
  };
  return tags && hasPossibleNumbers(head) ? head : undefined;
}

/** Undefined where they do not end where the payload begins. Adds their stamps. */
function readTags(
  bytes: Buffer,
  end: number,
  stamps: number[],
  view: DataView,
): readonly string[] | undefined {
  const count = view.getUint16(AT_TAG_COUNT, LITTLE_ENDIAN);
  if (count === 0) return end === HEAD_LENGTH ? NO_TAGS : undefined;
  const tags: string[] = [];
  let at = HEAD_LENGTH;
  for (let index = 0; index < count; index++) {
    const textStart = at + TAG_HEAD_LENGTH;
    if (textStart > end) return undefined;
    const textEnd = textStart + view.getUint16(at + 8, LITTLE_ENDIAN);
    if (textEnd > end) return undefined;
    stamps.push(view.getFloat64(at, LITTLE_ENDIAN));
    tags.push(bytes.toString('utf8', textStart, textEnd));
    at = textEnd;
  }
  return at === end ? tags : undefined;
}

function readLeaseToken(bytes: Buffer, view: DataView): string {
  const isNone =
    view.getUint32(AT_LEASE_TOKEN, LITTLE_ENDIAN) === 0 &&
    view.getUint32(AT_LEASE_TOKEN + 4, LITTLE_ENDIAN) === 0;
  return isNone ? '' : bytes.toString('latin1', AT_LEASE_TOKEN, AT_LEASE_UNTIL);
}

function hasPossibleNumbers({
  leaseUntil,
  born,
  freshUntil,
  staleUntil,
  cost,
  stamps,
}: RecordFields): boolean {
  if (!isPossible(leaseUntil) || !isPossible(born) || !isPossible(freshUntil)) return false;
  if (!isPossible(staleUntil) || !isPossible(cost)) return false;
  // A process keeps negative ones to itself: of what it has invalidated while Redis could not be asked.
  for (const stamp of stamps) if (!Number.isFinite(stamp)) return false;
  return true;
}

/** Also false for NaN. */
function isPossible(number: number): boolean {
  return number >= 0 && number < Infinity;
}

/**
 * When an entry was made, of the first bytes of its record; undefined where they are those of no entry: of nothing of the cache's, or of a lease
 * without a value, which may tell in that place when a run has failed.
 */
export function readBorn(head: Buffer): number | undefined {
  const isRecord =
    head.length >= HEAD_LENGTH && head[0] === MAGIC_R && head[1] === MAGIC_C && head[AT_VERSION] === VERSION;
  const isEntry = isRecord && KINDS[head[AT_KIND] as number] !== 'lease';
  return isEntry ? head.readDoubleLE(AT_BORN) : undefined;
}
