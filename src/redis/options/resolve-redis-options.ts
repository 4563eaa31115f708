import { resolveCommonOptions, resolveDatabase } from './common-options.js';
import { collectSettings, type ResolveInput } from './collect-settings.js';
import { resolveCredentials } from './credentials.js';
import { resolveDriverOptions } from './driver-options.js';
import { maskSecrets } from './mask.js';
import { Problems } from './problems.js';
import type { RedisTarget, ResolvedRedisOptions } from './resolved-options.js';
import { resolveAddress } from './target.js';
import { resolveTls } from './tls.js';

/**
 * Completes the options of a connection from the environment and the defaults, and checks all of it.
 *
 * - An address in code (`url`, `host`, `path`, `sentinel`, `cluster`) means that the environment is not read at all for this
 *   connection.
 * - Otherwise address, credentials, database, TLS and startup come from the environment (see `.env.example`), and each option
 *   that is given in code wins over the variable for it: `forRoot({ startup: 'optional', pool: { size: 4 } })`. Of `tls`, each
 *   setting counts by itself; `tls: false` against `USE_TLS=true` is refused.
 * - With no address at all, the connection `default` goes to `localhost:6379`; any other is refused.
 *
 * The result shows no secrets in `util.inspect`, `console.log` and `JSON.stringify`; nor do `target` and `tls` in it.
 *
 * @throws RedisConfigurationError with every problem that was found
 */
export function resolveRedisOptions(input: ResolveInput): ResolvedRedisOptions {
  const problems = new Problems();
  const settings = collectSettings(input, problems);
  const address = resolveAddress(settings, problems);
  const { tls, warnings } = resolveTls(settings, address.url, problems);
  const target: RedisTarget = address.target ?? { kind: 'standalone', host: 'localhost', port: 6379 };
  const resolved: ResolvedRedisOptions = {
    name: input.name,
    target: maskSecrets(target),
    ...resolveCredentials(settings, address.url, problems),
    db: resolveDatabase(settings, address.url, problems),
    tls: tls && maskSecrets(tls),
    ...resolveCommonOptions(input.name, settings, problems),
    driver: resolveDriverOptions(settings, problems),
    warnings,
  };
  problems.throwIfAny(input.name);
  return maskSecrets(resolved);
}
