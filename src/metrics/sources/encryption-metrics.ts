import type { EncryptionService, EncryptionStats } from '../../encryption/index.js';
import type { MetricDefinition } from '../exposition/metric.js';
import type { MetricSource } from './metric-source.js';

const COUNTERS: readonly (readonly [figure: keyof EncryptionStats, help: string])[] = [
  ['encrypted', 'Values that were encrypted.'],
  ['decrypted', 'Values that were decrypted.'],
  ['refused', 'Values that were not decrypted: altered, moved, under an unknown key, or not encrypted.'],
  ['reencrypted', 'Values in Redis that were encrypted anew, under the primary key.'],
  ['migrated', 'Those of them that were not encrypted before.'],
];

/** The encryption. All that it counts is read at a scrape. */
export class EncryptionMetrics implements MetricSource {
  readonly metrics: readonly MetricDefinition[];

  constructor(encryption: EncryptionService) {
    this.metrics = COUNTERS.map(([figure, help]) => ({
      name: `encryption_${figure}_total`,
      help,
      type: 'counter',
      collect: () => [{ labels: {}, value: encryption.stats()[figure] }],
    }));
  }
}
