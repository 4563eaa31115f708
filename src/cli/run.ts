import { CommanderError } from 'commander';
import { InspectionConfigurationError } from '../diagnostics/index.js';
import { EncryptionConfigurationError } from '../encryption/index.js';
import { RedisConfigurationError, RedisError, type RedisErrorCode } from '../redis/index.js';
import { EXIT } from './exit-codes.js';
import { printable } from './output/text.js';
import { createProgram, type Host } from './program.js';
import { StoppedError } from './stopped-error.js';

const CONFIGURATION_ERRORS = [
  RedisConfigurationError,
  EncryptionConfigurationError,
  InspectionConfigurationError,
] as const;

/** Where nothing can be asked of Redis. */
const NOT_CONNECTED: readonly RedisErrorCode[] = [
  'REDIS_UNAVAILABLE',
  'REDIS_CONNECTION_LOST',
  'REDIS_TIMEOUT',
  'REDIS_AUTH',
  'REDIS_TLS',
  'REDIS_CLUSTER',
  'REDIS_CLOSED',
];

/**
 * Runs the command line tool. Every failure is told in a line or two, and is an exit code.
 *
 * @param parameters what follows the name of the tool
 * @returns the exit code: see {@link EXIT}
 */
export async function run(parameters: readonly string[], host: Host): Promise<number> {
  let code: number = EXIT.done;
  try {
    await createProgram(host, (outcome) => (code = outcome)).parseAsync(parameters, { from: 'user' });
    return code;
  } catch (error) {
    // Commander has told of it.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.wrongCall;
    return tellFailure(error, parameters, host);
  }
}

function tellFailure(error: unknown, parameters: readonly string[], { terminal }: Host): number {
  const exitCode = exitCodeOf(error);
  const message = error instanceof Error ? error.message : String(error);
  // Lines of ours stay lines: a list of problems is one.
  for (const line of message.split('\n')) terminal.tell(printable(line));
  if (parameters.includes('--json')) terminal.writeJson({ error, exitCode });
  return exitCode;
}

function exitCodeOf(error: unknown): number {
  if (error instanceof StoppedError) return EXIT.stopped;
  if (CONFIGURATION_ERRORS.some((kind) => error instanceof kind)) return EXIT.wrongCall;
  return error instanceof RedisError && NOT_CONNECTED.includes(error.code) ? EXIT.notConnected : EXIT.failed;
}
