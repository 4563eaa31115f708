import { isEnvelope, keyIdOf } from '../envelope/header.js';
import { showKeyId } from '../keys/key-id.js';
import type { KeyRing } from '../keys/key-ring.js';
import type { Location } from '../store/location.js';
import type { IndexEntry } from '../blind-index/index-keys.js';
import type { KeyVisitor } from './key-reader.js';
import type { KeyUsage, KeyUsageReport } from './rotation-report.js';

type Kind = 'values' | 'fields' | 'indexEntries';
type Counts = Record<Kind, number>;

/** Counts what the keys of one server are under. */
class ServerCount implements KeyVisitor {
  readonly byKey = new Map<string, Counts>();
  plaintext = 0;

  value(_location: Location, head: Buffer): void {
    this.#count('values', head);
  }

  field(_location: Location, raw: Buffer): void {
    this.#count('fields', raw);
  }

  index({ keyId }: IndexEntry): void {
    this.#add('indexEntries', keyId);
  }

  #count(kind: Kind, head: Buffer): void {
    const keyId = keyIdOf(head);
    if (keyId !== undefined) this.#add(kind, showKeyId(keyId));
    else if (!isEnvelope(head)) this.plaintext++;
  }

  #add(kind: Kind, keyId: string): void {
    let counts = this.byKey.get(keyId);
    if (!counts) this.byKey.set(keyId, (counts = { values: 0, fields: 0, indexEntries: 0 }));
    counts[kind]++;
  }
}

/** Counts what is under which key: for each server apart, since one that fails is replaced by one whose keys are all told anew. */
export class UsageCount {
  readonly #servers = new Map<string, ServerCount>();

  of(server: string): KeyVisitor {
    let count = this.#servers.get(server);
    if (!count) this.#servers.set(server, (count = new ServerCount()));
    return count;
  }

  /**
   * @param servers those that were there in the end
   * @param isComplete whether all keys of the namespace were looked at
   */
  report(ring: KeyRing, servers: Iterable<string>, isComplete: boolean): KeyUsageReport {
    const counts = [...servers].flatMap((server) => this.#servers.get(server) ?? []);
    const own = Array.from(ring, ({ name }) => name);
    const found = new Set(counts.flatMap(({ byKey }) => [...byKey.keys()]));
    const others = [...found].filter((name) => !own.includes(name)).toSorted();
    const sum = (keyId: string, kind: Kind): number =>
      counts.reduce((total, { byKey }) => total + (byKey.get(keyId)?.[kind] ?? 0), 0);
    const keys = [...own, ...others].map((keyId): KeyUsage => ({
      keyId,
      role: keyId === own[0] ? 'primary' : own.includes(keyId) ? 'decrypt' : 'unknown',
      values: sum(keyId, 'values'),
      fields: sum(keyId, 'fields'),
      indexEntries: sum(keyId, 'indexEntries'),
    }));
    const removable = keys.filter(({ role, keyId }) => role === 'decrypt' && !found.has(keyId));
    return {
      keys,
      plaintext: counts.reduce((total, { plaintext }) => total + plaintext, 0),
      removable: isComplete ? removable.map(({ keyId }) => keyId) : [],
    };
  }
}
