import type { Binding } from '../envelope/place.js';
import type { KeyRing } from '../keys/key-ring.js';
import type { SuiteName } from '../suites/suites.js';

export interface ResolvedPlaintextMigration {
  /** Milliseconds since 1970. */
  readonly until: number;
  readonly as: 'text' | 'json' | 'bytes';
}

/** Complete and checked. */
export interface ResolvedEncryptionOptions {
  readonly ring: KeyRing;
  readonly namespace: string;
  readonly suite: SuiteName;
  readonly bind: Binding;
  readonly reencryptOnRead: boolean;
  readonly migratePlaintext: ResolvedPlaintextMigration | undefined;
}
