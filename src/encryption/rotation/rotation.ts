import type { EncryptionParts } from '../encryption-parts.js';
import type { RotationOptions, SweepOptions } from './rotation-options.js';
import type { KeyUsageReport, RotationReport } from './rotation-report.js';

/** Walks through the keys of a namespace, and encrypts anew what is under other keys than the primary one. */
export class Rotation {
  constructor(parts: EncryptionParts, namespace: string) {
    void parts;
    void namespace;
  }

  rotate(_options: RotationOptions = {}): Promise<RotationReport> {
    throw new Error('to be written');
  }

  count(_options: SweepOptions = {}): Promise<KeyUsageReport> {
    throw new Error('to be written');
  }
}
