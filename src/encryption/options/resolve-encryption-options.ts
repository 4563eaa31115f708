import type { ConfigService } from '@nestjs/config';
import type { OptionTree, Problems, Settings } from '../../redis/shared.js';
import { BINDINGS, isAsStrong, type Strength } from '../envelope/strength.js';
import { SUITES, type SuiteName } from '../suites/suites.js';
import { EncryptionConfigurationError } from './encryption-configuration-error.js';
import type {
  AcceptedOptions,
  EncryptionRootOptions,
  PlaintextMigrationOptions,
} from './encryption-options.js';
import { resolveCall } from './resolve-call.js';
import { resolveKeys } from './resolve-keys.js';
import type { ResolvedEncryptionOptions, ResolvedPlaintextMigration } from './resolved-options.js';

const ROOT_OPTIONS = {
  key: true,
  decryptKeys: true,
  namespace: true,
  suite: true,
  bind: true,
  accept: { suite: true, bind: true } satisfies Record<keyof AcceptedOptions, true>,
  reencryptOnRead: true,
  migratePlaintext: { until: true, as: true } satisfies Record<keyof PlaintextMigrationOptions, true>,
} as const satisfies OptionTree & Record<keyof EncryptionRootOptions, unknown>;

/** @throws EncryptionConfigurationError with every problem that was found */
export function resolveRootOptions(
  options: EncryptionRootOptions,
  config: ConfigService,
): ResolvedEncryptionOptions {
  return resolveCall('EncryptionModule', ROOT_OPTIONS, checked(options), (settings, problems) => ({
    ring: resolveKeys(settings, config, problems)!,
    namespace: settings.namespace('namespace') ?? 'encrypted',
    ...resolveStrengths(settings, problems),
    reencryptOnRead: settings.boolean('reencryptOnRead') ?? true,
    migratePlaintext: resolveMigration(settings, problems),
  }));
}

/** What a factory gives in place of options may well be the key: it must not get into a message. */
function checked(options: unknown): unknown {
  if (typeof options !== 'string' && !ArrayBuffer.isView(options)) return options;
  const message = 'are a text or bytes, and no object of options: a key is given as { key }';
  throw new EncryptionConfigurationError('EncryptionModule', [{ option: 'options', message }]);
}

function resolveStrengths(
  settings: Settings,
  problems: Problems,
): Pick<ResolvedEncryptionOptions, 'written' | 'accepted'> {
  const suites = Object.keys(SUITES) as SuiteName[];
  const written: Strength = {
    suite: settings.choice('suite', suites) ?? 'xaes-256-gcm',
    binding: settings.choice('bind', BINDINGS) ?? 'key',
  };
  const accepted: Strength = {
    suite: settings.choice('accept.suite', suites) ?? written.suite,
    binding: settings.choice('accept.bind', BINDINGS) ?? written.binding,
  };
  if (!isAsStrong(written, accepted))
    problems.add(
      'accept',
      'is stronger than what is written with suite and bind: none of that could be read',
    );
  return { written, accepted };
}

function resolveMigration(settings: Settings, problems: Problems): ResolvedPlaintextMigration | undefined {
  if (settings.find('migratePlaintext')?.value === undefined) return undefined;
  const until = settings.converted(
    'migratePlaintext.until',
    asTime,
    "a date, such as new Date('2027-01-31') or '2027-01-31'",
  );
  if (!settings.has('migratePlaintext.until'))
    problems.add('migratePlaintext.until', 'is missing: what is not encrypted must not be accepted for ever');
  const as = settings.choice('migratePlaintext.as', ['text', 'json', 'bytes']) ?? 'text';
  return { until: until ?? 0, as };
}

function asTime(value: unknown): number | undefined {
  if (!(value instanceof Date) && typeof value !== 'string') return undefined;
  if (typeof value === 'string' && !/^\d{4}-\d\d-\d\d/.test(value)) return undefined;
  const time = new Date(value).getTime();
  return Number.isNaN(time) ? undefined : time;
}
