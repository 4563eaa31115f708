import type { Strength } from '../envelope/strength.js';
import type { KeyRing } from '../keys/key-ring.js';

export interface ResolvedPlaintextMigration {
  /** Milliseconds since 1970. */
  readonly until: number;
  readonly as: 'text' | 'json' | 'bytes';
}

/** Complete and checked. */
export interface ResolvedEncryptionOptions {
  readonly ring: KeyRing;
  readonly namespace: string;
  /** How values are written. */
  readonly written: Strength;
  /** The least that is read. */
  readonly accepted: Strength;
  readonly reencryptOnRead: boolean;
  readonly migratePlaintext: ResolvedPlaintextMigration | undefined;
}
