import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { root } from './setup.mjs';

/** What Atlas does not start without, and what it means where it is another one than before. */
const SECRETS = {
  ENCRYPTION_KEY: 'what an earlier run has encrypted there cannot be read',
  SESSION_SECRET: 'who was logged in has to log in again',
};

/**
 * The environment with an `ENCRYPTION_KEY` and a `SESSION_SECRET`: random ones, and a line that says so, where neither the environment nor
 * `.env`, which the application reads, has them.
 *
 * @param lasts whether what is in Redis outlives the command
 */
export function withSecrets(env, lasts) {
  const ofFile = variablesOfFile();
  const missing = Object.keys(SECRETS).filter((name) => !env[name] && !ofFile[name]);
  if (missing.length === 0) return env;
  const verb =
    missing.length === 1
      ? 'is not set, so this run has a random one'
      : 'are not set, so this run has random ones';
  const consequences = lasts ? `: ${missing.map((name) => SECRETS[name]).join(', and ')}` : '';
  console.log(`${missing.join(' and ')} ${verb}${consequences}`);
  return { ...env, ...Object.fromEntries(missing.map((name) => [name, randomBytes(32).toString('hex')])) };
}

/** Those of `.env`, where there is one. */
function variablesOfFile() {
  try {
    return parseEnv(readFileSync(join(root, '.env'), 'utf8'));
  } catch (error) {
    if (error.code === 'ENOENT') return {};
    throw error;
  }
}
