import type { ConfigurationProblem } from '../../redis/index.js';
import { resolveOptions, type OptionTree, type Problems, type Settings } from '../../redis/shared.js';
import { EncryptionConfigurationError } from './encryption-configuration-error.js';

/**
 * Options, read and checked.
 *
 * @param subject whose they are, for messages
 * @param read reports what is wrong with them
 * @throws EncryptionConfigurationError with every problem that was found
 */
export function resolveCall<T>(
  subject: string,
  tree: OptionTree,
  options: unknown,
  read: (settings: Settings, problems: Problems) => T,
): T {
  const toError = (found: readonly ConfigurationProblem[]) =>
    new EncryptionConfigurationError(subject, found);
  return resolveOptions({ options, tree, toError }, read);
}
