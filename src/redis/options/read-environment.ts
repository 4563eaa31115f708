import { type ConfigService } from '@nestjs/config';
import { plainToInstance } from 'class-transformer';
import { validateSync } from 'class-validator';
import { environmentVariables, RedisEnvironment } from './environment.js';
import { readNodeText } from './node-address.js';
import type { Problems } from './problems.js';
import type { Given } from './settings.js';

type Variable = keyof RedisEnvironment;

/** Which option a variable sets. `CA_CERT` and its like set `tls.caFile` where they hold a path. */
const PATH_OF: Readonly<Record<Variable, string>> = {
  URL: 'url',
  HOST: 'host',
  PORT: 'port',
  SENTINELS: 'sentinel.nodes',
  SENTINEL_MASTER: 'sentinel.masterName',
  SENTINEL_USERNAME: 'sentinel.username',
  SENTINEL_PASSWORD: 'sentinel.password',
  CLUSTER_NODES: 'cluster.nodes',
  USERNAME: 'username',
  PASSWORD: 'password',
  PASSWORD_FILE: 'passwordFile',
  DB: 'db',
  USE_TLS: 'tls',
  CA_CERT: 'tls.ca',
  CLIENT_CERT: 'tls.cert',
  CLIENT_KEY: 'tls.key',
  TLS_SERVERNAME: 'tls.servername',
  STARTUP: 'startup',
  STARTUP_TIMEOUT: 'startupTimeout',
  CONNECT_TIMEOUT: 'connectTimeout',
  COMMAND_TIMEOUT: 'commandTimeout',
};

/** What variables of the connection `default` are called, in front of their names. */
export const DEFAULT_PREFIX = 'REDIS_';

/** `REDIS_` for the connection `default`, `REDIS_<NAME>_` for others: `web-sessions` reads `REDIS_WEB_SESSIONS_URL`. */
export function environmentPrefix(connectionName: string): string {
  if (connectionName === 'default') return DEFAULT_PREFIX;
  return `${DEFAULT_PREFIX}${connectionName.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')}_`;
}

/** The variable that sets an option; the option itself where none does. */
export function variableFor(path: string, prefix: string): string {
  const variable = environmentVariables().find((name) => PATH_OF[name] === path);
  return variable ? `${prefix}${variable}` : path;
}

/** Variables with this prefix that already mean something to the connection `default`. */
export function sharedVariables(prefix: string): string[] {
  if (prefix === DEFAULT_PREFIX) return [];
  const ofDefault = new Set(environmentVariables().map((name) => `${DEFAULT_PREFIX}${name}`));
  return environmentVariables()
    .map((name) => `${prefix}${name}`)
    .filter((name) => ofDefault.has(name));
}

/** Reads and checks the variables of a connection. Faulty ones are reported, and given without a value. */
export function readEnvironment(
  config: ConfigService,
  prefix: string,
  problems: Problems,
): Map<string, Given> {
  const texts = withKubernetesService(readTexts(config, prefix));
  const environment = plainToInstance(RedisEnvironment, Object.fromEntries(texts));
  const faulty = new Set<string>();
  for (const { property, constraints = {} } of validateSync(environment, { stopAtFirstError: true })) {
    faulty.add(property);
    problems.add(`${prefix}${property}`, Object.values(constraints).join('; '));
  }
  const given = new Map<string, Given>();
  for (const name of texts.keys()) {
    const [path, value] = toSetting(name, environment[name]);
    const option = `${prefix}${name}`;
    given.set(path, { option, value: faulty.has(name) ? undefined : value, source: 'environment' });
  }
  markTopologies(given);
  return given;
}

/** A validation function of the application may have turned a variable into a number or boolean already. */
function readTexts(config: ConfigService, prefix: string): Map<Variable, unknown> {
  const texts = new Map<Variable, unknown>();
  for (const name of environmentVariables()) {
    const value: unknown = config.get(`${prefix}${name}`);
    const text = typeof value === 'number' || typeof value === 'boolean' ? String(value) : value;
    const isSecret = name.endsWith('PASSWORD');
    const trimmed = typeof text === 'string' && !isSecret ? text.trim() : text;
    if (trimmed !== undefined && trimmed !== null && trimmed !== '') texts.set(name, trimmed);
  }
  return texts;
}

/**
 * Kubernetes gives every pod `REDIS_PORT=tcp://10.0.0.1:6379` when there is a Service called `redis`. It counts as the address
 * where nothing else does, and must not get in the way of one that was set on purpose.
 */
function withKubernetesService(texts: Map<Variable, unknown>): Map<Variable, unknown> {
  const port = texts.get('PORT');
  if (typeof port !== 'string' || !port.includes('://')) return texts;
  const result = new Map(texts);
  if ([...texts.keys()].some((name) => name === 'URL' || /^SENTINEL|^CLUSTER/.test(name))) {
    result.delete('PORT');
    return result;
  }
  const service = /^tcp:\/\//i.test(port) ? readNodeText(port.slice('tcp://'.length), 6379) : undefined;
  if (!service) return result;
  if (!texts.has('HOST')) result.set('HOST', service.host);
  return result.set('PORT', String(service.port));
}

function toSetting(name: Variable, value: unknown): [path: string, value: unknown] {
  const path = PATH_OF[name];
  if (typeof value !== 'string') return [path, value];
  if (path.endsWith('.nodes')) return [path, splitNodes(value)];
  if (!['tls.ca', 'tls.cert', 'tls.key'].includes(path)) return [path, value];
  return [value.includes('-----BEGIN') ? path : `${path}File`, value];
}

/** A URL is not split at its commas: half a password would be shown as a node. It is refused as a whole. */
function splitNodes(text: string): string[] {
  if (text.includes('://') || text.includes('@')) return [text];
  return text
    .split(',')
    .map((node) => node.trim())
    .filter((node) => node !== '');
}

/** Any variable of a topology asks for it: `SENTINEL_PASSWORD` without `SENTINELS` is a mistake, not nothing. */
function markTopologies(given: Map<string, Given>): void {
  for (const topology of ['sentinel', 'cluster']) {
    const first = [...given].find(([path]) => path.startsWith(`${topology}.`));
    if (first) given.set(topology, { ...first[1], value: true });
  }
}
