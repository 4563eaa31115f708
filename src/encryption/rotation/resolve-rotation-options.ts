import { asFunction } from '../../keyspace/tell-progress.js';
import type { OptionTree, Settings } from '../../redis/shared.js';
import { resolveCall } from '../options/resolve-call.js';
import type { ResolvedEncryptionOptions } from '../options/resolved-options.js';
import { readWorkOptions, WORK_OPTIONS, type ResolvedWorkOptions } from '../options/work-options.js';
import type { RotationOptions, RotationProgress, SweepOptions } from './rotation-options.js';

const SWEEP_TREE = { ...WORK_OPTIONS, match: true } as const satisfies OptionTree &
  Record<keyof SweepOptions, true>;

const ROTATION_TREE = {
  ...SWEEP_TREE,
  resume: true,
  contextOf: true,
  plaintext: true,
} as const satisfies OptionTree & Record<keyof RotationOptions, true>;

/** Complete and checked. */
export interface ResolvedSweepOptions extends ResolvedWorkOptions<RotationProgress> {
  readonly match: string;
}

/** Complete and checked. */
export interface ResolvedRotationOptions extends ResolvedSweepOptions {
  readonly resume: string | undefined;
  readonly contextOf: RotationOptions['contextOf'];
  readonly plaintext: 'leave' | 'encrypt';
}

/** @throws EncryptionConfigurationError with every problem that was found */
export function resolveSweepOptions(options: SweepOptions): ResolvedSweepOptions {
  return resolveCall('EncryptedStore.keyUsage', SWEEP_TREE, options, readSweep);
}

/** @throws EncryptionConfigurationError with every problem that was found */
export function resolveRotationOptions(
  options: RotationOptions,
  { migratePlaintext }: ResolvedEncryptionOptions,
): ResolvedRotationOptions {
  return resolveCall('EncryptedStore.rotate', ROTATION_TREE, options, (settings, problems) => {
    settings.converted('contextOf', asFunction, 'a function');
    const resolved = {
      ...readSweep(settings),
      resume: settings.text('resume'),
      contextOf: options.contextOf,
      plaintext: settings.choice('plaintext', ['leave', 'encrypt']) ?? 'leave',
    };
    if (resolved.plaintext === 'encrypt') {
      if (!migratePlaintext || Date.now() >= migratePlaintext.until)
        problems.add(
          'plaintext',
          `'encrypt' is only for as long as migratePlaintext accepts what is not encrypted`,
        );
      if (!settings.has('match'))
        problems.add(
          'match',
          `is needed with plaintext: 'encrypt', since all that it matches will be encrypted`,
        );
    }
    return resolved;
  });
}

function readSweep(settings: Settings): ResolvedSweepOptions {
  return { ...readWorkOptions<RotationProgress>(settings), match: settings.text('match') ?? '*' };
}
