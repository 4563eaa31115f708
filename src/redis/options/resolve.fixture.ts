import { ConfigService } from '@nestjs/config';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RedisConfigurationError } from './configuration-error.js';
import type { RedisOptions } from './redis-options.js';
import type { ResolvedRedisOptions } from './resolved-options.js';
import { resolveRedisOptions } from './resolve-redis-options.js';

/** What a spec gives to `resolve`. `options` may be against the types, as JavaScript allows. */
export interface Given {
  name?: string;
  envPrefix?: string;
  options?: unknown;
  env?: Record<string, unknown>;
}

/** Resolves against the variables of `env` alone. */
export function resolve({
  name = 'default',
  envPrefix,
  options = {},
  env = {},
}: Given): ResolvedRedisOptions {
  const config = new ConfigService(env);
  Object.assign(config, { skipProcessEnv: true });
  return resolveRedisOptions({ name, envPrefix, options: options as RedisOptions, config });
}

/** The error of options that must be refused. */
export function refusal(given: Given): RedisConfigurationError {
  try {
    resolve(given);
  } catch (error) {
    if (error instanceof RedisConfigurationError) return error;
    throw error;
  }
  throw new Error('The options were accepted');
}

/** The problems of options that must be refused, as `option: message`. */
export function problemsOf(given: Given): string[] {
  return refusal(given).problems.map(({ option, message }) => `${option}: ${message}`);
}

/** A directory for files of a spec. */
export class TemporaryFiles {
  readonly directory = mkdtempSync(join(tmpdir(), 'rednest-options-'));

  write(name: string, content: string): string {
    const path = join(this.directory, name);
    writeFileSync(path, content);
    return path;
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}
