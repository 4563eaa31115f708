import { showValue } from './mask.js';
import type { Problems } from './problems.js';
import type { RedisUrl } from './redis-url.js';
import type { ResolvedRedisOptions } from './resolved-options.js';
import type { Settings } from './settings.js';

type CommonOptions = Pick<
  ResolvedRedisOptions,
  | 'clientName'
  | 'startup'
  | 'startupTimeout'
  | 'shutdownTimeout'
  | 'connectTimeout'
  | 'commandTimeout'
  | 'stallTimeout'
  | 'maxRetriesPerRequest'
  | 'reconnect'
  | 'pool'
>;

const MAX_DB = 2_147_483_647;

/** The options that are the same for every topology, with their defaults. */
export function resolveCommonOptions(name: string, settings: Settings, problems: Problems): CommonOptions {
  const retries = { min: 0, expected: 'a number of attempts (an integer of 0 or more)' };
  return {
    clientName: resolveClientName(name, settings, problems),
    startup: settings.choice('startup', ['required', 'optional']) ?? 'required',
    startupTimeout: settings.duration('startupTimeout') ?? 10_000,
    shutdownTimeout: settings.duration('shutdownTimeout', { min: 0 }) ?? 5_000,
    connectTimeout: settings.duration('connectTimeout') ?? 5_000,
    commandTimeout: settings.duration('commandTimeout'),
    stallTimeout: settings.duration('stallTimeout') ?? 30_000,
    maxRetriesPerRequest: settings.integer('maxRetriesPerRequest', retries) ?? 2,
    reconnect: resolveReconnect(settings, problems),
    pool: {
      size:
        settings.integer('pool.size', {
          min: 1,
          expected: 'a number of connections (an integer of 1 or more)',
        }) ?? 10,
      acquireTimeout: settings.duration('pool.acquireTimeout') ?? 5_000,
      queueLimit:
        settings.integer('pool.queueLimit', { min: 0, expected: 'an integer of 0 or more' }) ?? 1_000,
      idleTimeout: settings.duration('pool.idleTimeout') ?? 30_000,
    },
  };
}

/** Redis takes printable ASCII without spaces for the name of a client. */
function resolveClientName(name: string, settings: Settings, problems: Problems): string {
  const fallback = `rednest:${name.replaceAll(/[^!-~]/g, '_')}`;
  const clientName = settings.text('clientName');
  if (clientName === undefined || /^[!-~]+$/.test(clientName)) return clientName ?? fallback;
  const message = 'is not a name that Redis takes: no spaces, line breaks or letters outside ASCII';
  problems.add(settings.label('clientName'), `${showValue(clientName)} ${message}`);
  return fallback;
}

function resolveReconnect(settings: Settings, problems: Problems): ResolvedRedisOptions['reconnect'] {
  const initialDelay = settings.duration('reconnect.initialDelay', { min: 0 }) ?? 50;
  const maxDelay = settings.duration('reconnect.maxDelay') ?? 1_000;
  if (initialDelay > maxDelay) {
    const message = `is ${initialDelay} ms, more than reconnect.maxDelay (${maxDelay} ms)`;
    problems.add(settings.label('reconnect.initialDelay'), message);
  }
  return { initialDelay, maxDelay };
}

/** The database of the options or of the URL. Both may be given if they are the same; a Cluster has none but 0. */
export function resolveDatabase(settings: Settings, url: RedisUrl | undefined, problems: Problems): number {
  const expected = 'a database number (an integer of 0 or more)';
  const given = settings.find('db');
  const db = settings.integer('db', { min: 0, max: MAX_DB, expected });
  if (given && db !== undefined && contradicts(db, given.source, url)) {
    problems.add(
      given.option,
      `${db} differs from the database in ${url?.given.option} (${url?.db}); give one of them`,
    );
  }
  if (given && db !== undefined && db !== 0 && settings.has('cluster')) {
    problems.add(given.option, `${db} is not possible on a Cluster, which has no databases; leave it out`);
  }
  return db ?? url?.db ?? 0;
}

function contradicts(db: number, source: 'code' | 'environment', url: RedisUrl | undefined): boolean {
  return url?.db !== undefined && url.db !== db && url.given.source === source;
}
