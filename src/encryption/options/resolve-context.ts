import { types } from 'node:util';
import type { OptionTree, Problems, Settings } from '../../redis/shared.js';
import type { ContextOptions } from '../store/store-options.js';
import { resolveCall } from './resolve-call.js';

const CONTEXT_OPTIONS = { context: true } as const satisfies OptionTree & Record<keyof ContextOptions, true>;

/** What a context is, for messages. */
export const CONTEXT_EXPECTED =
  'a text with at least one character and no half of a surrogate pair, or bytes';

/**
 * The context of a call; '' for none. A name that is misspelt must not mean that a value is bound to nothing.
 *
 * @param subject the method, for messages
 * @throws EncryptionConfigurationError
 */
export function resolveContext(subject: string, options: ContextOptions | undefined): string | Uint8Array {
  if (options === undefined) return '';
  const read = (settings: Settings, problems: Problems) => readContext(options, settings, problems);
  return resolveCall(subject, CONTEXT_OPTIONS, options, read) ?? '';
}

/** The context among the options of a call. One that is there and undefined was forgotten: it must not mean that there is none. */
export function readContext(
  options: unknown,
  settings: Settings,
  problems: Problems,
): string | Uint8Array | undefined {
  const { context } = Object(options) as { context?: unknown };
  if (context === undefined && Object.hasOwn(Object(options) as object, 'context'))
    problems.add('context', `undefined is not ${CONTEXT_EXPECTED}; leave it out where there is none`);
  return settings.converted('context', asContext, CONTEXT_EXPECTED);
}

/** A context, if it is one. In UTF-8 all halves of surrogate pairs are the same: one context would do for another. */
export function asContext(value: unknown): string | Uint8Array | undefined {
  if (typeof value === 'string') return value !== '' && value.isWellFormed() ? value : undefined;
  return types.isUint8Array(value) && value.length > 0 ? value : undefined;
}
