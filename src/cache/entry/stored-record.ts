import { errorFromText } from '../codecs/error-codec.js';
import type { CacheEntry, EntryKind } from './entry.js';
import type { StoredRecordHead } from './record.js';

/** What stands under a key. */
export interface StoredRecord {
  /** Undefined: there is only a lease, or what there is cannot be read. */
  readonly entry: CacheEntry | undefined;
  /** '' where there is none. */
  readonly leaseToken: string;
  readonly leaseUntil: number;
  /** When an entry was made that cannot be read. */
  readonly unreadable?: number;
}

export const UNREADABLE: StoredRecord = Object.freeze({ entry: undefined, leaseToken: '', leaseUntil: 0 });

export function payloadOf({ payloadStart, payloadEnd }: StoredRecordHead, bytes: Buffer): Buffer {
  return bytes.subarray(payloadStart, payloadEnd);
}

export function withoutEntry({ kind, born, leaseToken, leaseUntil }: StoredRecordHead): StoredRecord {
  const lease = { entry: undefined, leaseToken, leaseUntil };
  return kind === 'lease' ? lease : { ...lease, unreadable: born };
}

/** @param length as for {@link withEntry} */
export function withDecoded(head: StoredRecordHead, decoded: unknown, length: number): StoredRecord {
  if (head.kind === 'error') return withEntry(head, 'error', errorFromText(decoded), length);
  return withEntry(head, 'value', decoded, length);
}

/** @param length of the payload before it was compressed and encrypted */
export function withEntry(
  head: StoredRecordHead,
  kind: EntryKind,
  value: unknown,
  length = head.payloadEnd - head.payloadStart,
): StoredRecord {
  const { born, freshUntil, staleUntil, cost, tags, stamps, payloadStart, payloadEnd: size } = head;
  const expandedSize = payloadStart + length;
  const entry = { kind, value, born, freshUntil, staleUntil, cost, tags, stamps, size, expandedSize };
  return { entry, leaseToken: head.leaseToken, leaseUntil: head.leaseUntil };
}
