import { ConfigModule, ConfigService } from '@nestjs/config';
import { RedisConfigurationError } from '../../redis/index.js';
import {
  environmentPrefix,
  environmentVariables,
  resolveRedisOptions,
  showPath,
  showValue,
  type ResolvedRedisOptions,
} from '../../redis/shared.js';
import { CLI_OPTIONS } from '../connection/session.js';
import { listText } from '../output/text.js';
import { Findings, type Finding } from './finding.js';

interface Environment {
  readonly findings: readonly Finding[];
  /** Undefined where it is wrong. */
  readonly options: ResolvedRedisOptions | undefined;
}

/** Reads the environment (and `.env`) as an application does: which variables are there, and everything that is wrong with them. */
export async function readEnvironment(connection: string): Promise<Environment> {
  // It puts into the environment what is in the file.
  await ConfigModule.forRoot();
  const config = new ConfigService();
  const findings = new Findings('environment');
  const given = givenVariables(connection, config);
  try {
    const options = resolveRedisOptions({ name: connection, options: CLI_OPTIONS, config });
    findings.ok(given.length > 0 ? listText(given) : 'no variable is set, which means localhost:6379');
    for (const warning of options.warnings) findings.warning(warning, 'Trust the authority instead');
    return { findings: findings.list, options };
  } catch (error) {
    if (!(error instanceof RedisConfigurationError)) throw error;
    if (given.length > 0) findings.ok(`read: ${listText(given)}`);
    for (const { option, message } of error.problems)
      findings.problem(`${option}: ${message}`, 'Set it as .env.example of rednest shows');
    return { findings: findings.list, options: undefined };
  }
}

/** `REDIS_URL='redis://***@cache:6379'`, for those that are set. */
function givenVariables(connection: string, config: ConfigService): string[] {
  const prefix = environmentPrefix(connection);
  return environmentVariables().flatMap((name) => {
    const value: unknown = config.get(`${prefix}${name}`);
    return value === undefined || value === '' ? [] : [`${prefix}${name}=${shown(name, value)}`];
  });
}

function shown(name: string, value: unknown): string {
  if (name.endsWith('PASSWORD')) return '***';
  // Where a path belongs, a secret may stand by mistake.
  return /_(?:FILE|CERT|KEY)$/.test(name) ? showPath(String(value)) : showValue(value);
}
