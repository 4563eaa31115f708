import { flattenOptions, Problems, Settings, type OptionTree } from '../../redis/shared.js';
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
  const problems = new Problems();
  const resolved = read(new Settings(flattenOptions(options, tree, problems), problems), problems);
  problems.throwAs((found) => new EncryptionConfigurationError(subject, found));
  return resolved;
}
