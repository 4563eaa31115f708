import { type ConfigService } from '@nestjs/config';
import { showValue } from './mask.js';
import { readOptions } from './option-tree.js';
import type { Problems } from './problems.js';
import { environmentPrefix, readEnvironment, sharedVariables, variableFor } from './read-environment.js';
import type { RedisOptions } from './redis-options.js';
import { Settings, type GivenByPath } from './settings.js';
import { ADDRESS_OPTIONS } from './target.js';

/** What the options of a connection are made from. */
export interface ResolveInput {
  /** Name of the connection; it makes the prefix of its variables and its default `clientName`. */
  readonly name: string;
  /** What the variables are called in front of their names, instead of `REDIS_` or `REDIS_<NAME>_`. Taken as it is. */
  readonly envPrefix?: string | undefined;
  /** Options given in code. */
  readonly options: RedisOptions;
  /** Where variables are read, one by one. */
  readonly config: ConfigService;
}

/** Options in code that take others of the environment out: two ways to say the same. */
const REPLACES: Readonly<Record<string, readonly string[]>> = {
  credentials: ['username', 'password', 'passwordFile'],
  password: ['passwordFile'],
  'tls.ca': ['tls.caFile'],
  'tls.caFile': ['tls.ca'],
  'tls.cert': ['tls.certFile'],
  'tls.certFile': ['tls.cert'],
  'tls.key': ['tls.keyFile'],
  'tls.keyFile': ['tls.key'],
};

/** What was given for a connection in code, and in the environment if there is no address in code. */
export function collectSettings(
  { name, envPrefix, options, config }: ResolveInput,
  problems: Problems,
): Settings {
  const code = readOptions(options, problems);
  const prefix: unknown = envPrefix ?? environmentPrefix(name);
  if (typeof prefix !== 'string') problems.add('envPrefix', `${showValue(prefix)} is not text`);
  const hasAddress = ADDRESS_OPTIONS.some((option) => code.has(option));
  if (hasAddress || typeof prefix !== 'string') return new Settings(code, problems);
  const environment = readEnvironment(config, prefix, problems);
  reportSharedVariables(name, prefix, environment, problems);
  reportTlsTurnedOff(code, environment, problems);
  const settings = new Settings(merge(code, environment), problems, (path) => variableFor(path, prefix));
  if (name !== 'default') reportNoAddress(settings, prefix, problems);
  return settings;
}

function merge(code: GivenByPath, environment: GivenByPath): GivenByPath {
  const replaced = new Set([...code.keys()].flatMap((path) => REPLACES[path] ?? []));
  return new Map([...[...environment].filter(([path]) => !replaced.has(path)), ...code]);
}

/** A connection called `sentinel` would take the password that `default` has for its Sentinels. */
function reportSharedVariables(
  name: string,
  prefix: string,
  environment: GivenByPath,
  problems: Problems,
): void {
  const given = new Set([...environment.values()].map(({ option }) => option));
  for (const variable of sharedVariables(prefix).filter((shared) => given.has(shared))) {
    problems.add(variable, `belongs to the connection 'default' too; give '${name}' an envPrefix of its own`);
  }
}

/** Code wins over the environment, but not to send in plaintext what the operator wants encrypted. */
function reportTlsTurnedOff(code: GivenByPath, environment: GivenByPath, problems: Problems): void {
  const asked = environment.get('tls');
  if (code.get('tls')?.value !== false || asked?.value !== true) return;
  problems.add('tls', `false turns TLS off, but ${asked.option} asks for it`);
}

function reportNoAddress(settings: Settings, prefix: string, problems: Problems): void {
  if (['url', 'host', 'port', 'sentinel', 'cluster'].some((path) => settings.has(path))) return;
  const variables = ['URL', 'HOST', 'SENTINELS', 'CLUSTER_NODES'].map((variable) => `${prefix}${variable}`);
  const inCode = `${ADDRESS_OPTIONS.join(', ')} in code`;
  problems.add(`${prefix}URL`, `no address: looked for ${variables.join(', ')}, and for ${inCode}`);
}
