import { flattenOptions, Problems, Settings, type OptionTree } from '../../redis/shared.js';
import { EncryptionConfigurationError } from '../options/encryption-configuration-error.js';
import type { ResolvedEncryptionOptions } from '../options/resolved-options.js';
import type { RotationOptions, SweepOptions } from './rotation-options.js';

const SWEEP_TREE = {
  match: true,
  concurrency: true,
  onProgress: true,
  signal: true,
} as const satisfies OptionTree & Record<keyof SweepOptions, true>;

const ROTATION_TREE = {
  ...SWEEP_TREE,
  resume: true,
  contextOf: true,
  plaintext: true,
} as const satisfies OptionTree & Record<keyof RotationOptions, true>;

const MOST_AT_ONCE = 10_000;

/** Complete and checked. */
export interface ResolvedSweepOptions {
  readonly match: string;
  readonly concurrency: number;
  readonly onProgress: SweepOptions['onProgress'];
  readonly signal: AbortSignal | undefined;
}

/** Complete and checked. */
export interface ResolvedRotationOptions extends ResolvedSweepOptions {
  readonly resume: string | undefined;
  readonly contextOf: RotationOptions['contextOf'];
  readonly plaintext: 'leave' | 'encrypt';
}

/** @throws EncryptionConfigurationError with every problem that was found */
export function resolveSweepOptions(options: SweepOptions): ResolvedSweepOptions {
  const problems = new Problems();
  const settings = new Settings(flattenOptions(options, SWEEP_TREE, problems), problems);
  const resolved = readSweep(options, settings);
  throwProblems('EncryptedStore.keyUsage', problems);
  return resolved;
}

/** @throws EncryptionConfigurationError with every problem that was found */
export function resolveRotationOptions(
  options: RotationOptions,
  { migratePlaintext }: ResolvedEncryptionOptions,
): ResolvedRotationOptions {
  const problems = new Problems();
  const settings = new Settings(flattenOptions(options, ROTATION_TREE, problems), problems);
  settings.converted('contextOf', asFunction, 'a function');
  const resolved = {
    ...readSweep(options, settings),
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
  throwProblems('EncryptedStore.rotate', problems);
  return resolved;
}

function readSweep(options: SweepOptions, settings: Settings): ResolvedSweepOptions {
  settings.converted('onProgress', asFunction, 'a function');
  return {
    match: settings.text('match') ?? '*',
    concurrency:
      settings.integer('concurrency', {
        min: 1,
        max: MOST_AT_ONCE,
        expected: `a whole number from 1 to ${MOST_AT_ONCE}`,
      }) ?? 100,
    onProgress: options.onProgress,
    signal: settings.converted('signal', asSignal, 'an AbortSignal'),
  };
}

function throwProblems(subject: string, problems: Problems): void {
  problems.throwAs((found) => new EncryptionConfigurationError(subject, found));
}

function asFunction(value: unknown): object | undefined {
  return typeof value === 'function' ? value : undefined;
}

function asSignal(value: unknown): AbortSignal | undefined {
  return value instanceof AbortSignal ? value : undefined;
}
