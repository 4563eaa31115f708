import { readFile } from 'node:fs/promises';
import { showPath, showValue } from './mask.js';
import type { Problems } from './problems.js';
import { fileFault, readSettingFile } from './read-file.js';
import type { CredentialsProvider } from './redis-options.js';
import type { RedisUrl } from './redis-url.js';
import type { Given, Settings } from './settings.js';

/** How to log in: by user name and password, or by what a provider says at each connect. */
export interface Credentials {
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly credentials: CredentialsProvider | undefined;
}

const NONE: Credentials = { username: undefined, password: undefined, credentials: undefined };

/** Merges the credentials of the options with those of the URL, and checks that they do not contradict each other. */
export function resolveCredentials(
  settings: Settings,
  url: RedisUrl | undefined,
  problems: Problems,
): Credentials {
  const provider = settings.find('credentials');
  // A provider in code stands instead of whatever the environment has, the URL included.
  const urlCounts = provider?.source !== 'code' || url?.given.source !== 'environment';
  const username = pick('username', settings, urlCounts ? url : undefined, problems);
  const password = pick('password', settings, urlCounts ? url : undefined, problems);
  if (provider) return readProvider(provider, username ?? password, problems);
  if (settings.has('passwordFile')) return readPasswordFile(username, password, settings, problems);
  if (username && !password) {
    problems.add(
      username.option,
      `has a user name, but no password was given (${settings.label('password')})`,
    );
  }
  return { ...NONE, username: valueOf(username), password: valueOf(password) };
}

/** The value of an option, or else that of the URL. Two that differ are a problem, unless code stands against environment. */
function pick(
  name: 'username' | 'password',
  settings: Settings,
  url: RedisUrl | undefined,
  problems: Problems,
): Given | undefined {
  const inUrl = url?.[name];
  const given = settings.find(name);
  if (!given) return url && inUrl !== undefined ? { ...url.given, value: inUrl } : undefined;
  const value = name === 'username' ? settings.text(name) : settings.secret(name);
  const differs = inUrl !== undefined && value !== undefined && value !== inUrl;
  if (differs && given.source === url?.given.source) {
    problems.add(given.option, `'***' differs from the ${name} in ${url.given.option}; give one of them`);
  }
  return { ...given, value };
}

function valueOf(given: Given | undefined): string | undefined {
  return typeof given?.value === 'string' ? given.value : undefined;
}

function readProvider(provider: Given, other: Given | undefined, problems: Problems): Credentials {
  if (other) {
    const message = `is given, but ${other.option} has a user name or password too; credentials stand instead of both`;
    problems.add(provider.option, message);
  }
  if (typeof provider.value !== 'function') {
    const shown = showValue(provider.value);
    problems.add(provider.option, `${shown} is not a function that returns { username, password }`);
    return NONE;
  }
  return { ...NONE, credentials: provider.value as CredentialsProvider };
}

function readPasswordFile(
  username: Given | undefined,
  password: Given | undefined,
  settings: Settings,
  problems: Problems,
): Credentials {
  const option = settings.label('passwordFile');
  if (password) problems.add(option, `is given, but ${password.option} has a password too; give one of them`);
  const content = readSettingFile('passwordFile', settings, problems);
  const path = settings.path('passwordFile');
  if (content === undefined || path === undefined) return NONE;
  if (withoutLineBreak(content) === '') problems.add(option, `file ${showPath(path)} is empty`);
  const name = valueOf(username);
  return {
    ...NONE,
    credentials: passwordFromFile(path, name === undefined ? {} : { username: name }, option),
  };
}

/** Reads the file at each connect: what mounts it (a Kubernetes Secret, Vault) may have changed it. */
function passwordFromFile(path: string, user: { username?: string }, option: string): CredentialsProvider {
  return async () => {
    const content = await readFile(path, 'utf8').catch((error: unknown) => {
      throw new Error(`${option}: ${fileFault(path, error)}`);
    });
    return { ...user, password: withoutLineBreak(content) };
  };
}

function withoutLineBreak(text: string): string {
  return text.replace(/\r?\n$/, '');
}
