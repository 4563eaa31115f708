import { readFileSync } from 'node:fs';
import { Command as CommanderCommand, InvalidArgumentError, Option } from 'commander';
import { DEFAULT_CONNECTION, parseDuration, type Duration } from '../redis/index.js';
import type { Call, Command } from './call.js';
import { bigkeys, type BigkeysOptions } from './commands/bigkeys.js';
import { memory, type MemoryOptions } from './commands/memory.js';
import { rotate, type RotateOptions } from './commands/rotate.js';
import { slowlog, type SlowlogOptions } from './commands/slowlog.js';
import { doctor, type DoctorOptions } from './doctor/doctor.js';

/** Where the tool runs. */
export type Host = Pick<Call, 'terminal' | 'signal'>;

const EXIT_CODES = `
Exit codes:
  0    all is well
  1    doctor found a problem (with --strict: or a warning); elsewhere, not all was done or could be looked at
  2    arguments or environment variables are wrong
  3    Redis cannot be reached, or does not let this user in
  130  stopped by Ctrl-C; what was found until then is printed

The connection is that of the environment (and of .env), as an application has it: REDIS_URL and the others of .env.example, or
REDIS_<NAME>_… with --connection <name>. A password is never given on the command line. Results go to the standard output, messages
and progress to the standard error. NO_COLOR=1 turns off colours and progress.`;

/** @param finish takes the exit code of a command that has run */
export function createProgram(host: Host, finish: (code: number) => void): CommanderCommand {
  const program = new CommanderCommand('rednest')
    .description('Looks at the Redis that the environment describes.')
    .version(packageVersion())
    .addHelpText('after', EXIT_CODES)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => host.terminal.write(text.trimEnd()),
      writeErr: (text) => host.terminal.tell(text.trimEnd()),
    });

  const add = <Options extends object>(name: string, description: string, command: Command<Options>) =>
    program
      .command(name)
      .description(description)
      .option('--connection <name>', 'the connection whose variables are read', DEFAULT_CONNECTION)
      .option('--timeout <duration>', 'how long to wait for Redis at the start', duration, 5_000)
      .option('--json', 'the result as one JSON document')
      .action(async ({ connection, timeout, json, ...options }: Options & CommonOptions) => {
        const call = { connection, timeout, json: json === true, ...host };
        finish(await command(call, options as unknown as Options));
      });

  add<DoctorOptions>(
    'doctor',
    'checks configuration, connection, permissions and server, and says what to do',
    doctor,
  ).option('--strict', 'exit code 1 for warnings, too: for a pipeline that is to stop at them');
  add<BigkeysOptions>('bigkeys', 'the biggest keys, or those that nobody has used for long', bigkeys)
    .option('--match <glob>', 'only keys like this, as SCAN has it')
    .option('--top <number>', 'how many are listed', wholeNumber, 20)
    .addOption(byOption())
    .option('--limit <number>', 'looks at so many keys at most', wholeNumber)
    .option('--stale <duration>', 'keys that were not used for so long, instead of big ones', duration);
  add<SlowlogOptions>('slowlog', 'what the servers have been slow at', slowlog)
    .option('--count <number>', 'how many commands', wholeNumber, 20)
    .option('--arguments', 'with their arguments, which are data of the application');
  add<MemoryOptions>('memory', 'how the memory of the servers is used', async (call, { watch }) =>
    memory(call, { watch: (watch as unknown) === true ? 5_000 : watch }),
  ).option('--watch [interval]', 'a line for each look, until Ctrl-C (every 5s)', duration);
  add<RotateOptions>('rotate', 'encrypts anew, under ENCRYPTION_KEY, what is under other keys', rotate)
    .option('--namespace <name>', 'as given to EncryptionModule', 'encrypted')
    .option('--resume <text>', 'goes on where a rotation was stopped');
  return program;
}

interface CommonOptions {
  readonly connection: string;
  readonly timeout: number;
  readonly json?: true;
}

function byOption(): Option {
  return new Option('--by <measure>', 'what is big').choices(['bytes', 'elements']).conflicts('stale');
}

function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('It is not a whole number of 1 or more.');
  return Number(text);
}

function duration(text: string): number {
  try {
    const milliseconds = parseDuration(text as Duration, 'duration');
    if (milliseconds >= 1) return milliseconds;
  } catch {
    // It is told below, without the name of an option that nobody has given.
  }
  throw new InvalidArgumentError('It is not a duration, such as 250ms, 5s or 10m.');
}

function packageVersion(): string {
  const file = new URL('../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
