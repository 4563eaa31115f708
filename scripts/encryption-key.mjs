import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { root } from './setup.mjs';

/**
 * The environment with an `ENCRYPTION_KEY`: a random one, and a line that says so, where neither the environment nor `.env`, which the
 * application reads, has one.
 *
 * @param lasts whether what is in Redis outlives the command
 */
export function withEncryptionKey(env, lasts) {
  if (env.ENCRYPTION_KEY || variablesOfFile().ENCRYPTION_KEY) return env;
  const consequence = lasts ? ': what an earlier run has encrypted there cannot be read' : '';
  console.log(`ENCRYPTION_KEY is not set, so this run has a random one${consequence}`);
  return { ...env, ENCRYPTION_KEY: randomBytes(32).toString('hex') };
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
