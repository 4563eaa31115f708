import { showUrl, showValue } from './mask.js';
import { isPort, readHost } from './node-address.js';
import type { Problems } from './problems.js';
import type { RedisTarget } from './resolved-options.js';
import type { Given } from './settings.js';

/** What a URL says. */
export interface RedisUrl {
  readonly given: Given;
  readonly scheme: 'redis' | 'rediss' | 'unix';
  /** Undefined where the rest of the URL is wrong, and reported. */
  readonly target: RedisTarget | undefined;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly db: number | undefined;
}

const SCHEMES = 'redis://, rediss:// (TLS) or unix:// (socket)';
const ENCODE_HINT = 'special characters in the user name or password must be percent-encoded';
const MAX_DB = 2_147_483_647;

/**
 * Reads `redis://user:password@host:6379/0`, `rediss://…` (TLS) or `unix:///path/to/redis.sock?db=0`. The scheme counts in upper
 * case too: ioredis takes `REDISS://` for plaintext.
 */
export function parseRedisUrl(given: Given, problems: Problems): RedisUrl | undefined {
  if (given.value === undefined) return undefined;
  if (typeof given.value !== 'string') {
    problems.add(given.option, `${showValue(given.value)} is not a URL (${SCHEMES})`);
    return undefined;
  }
  const text = given.value.trim();
  const faults: string[] = [];
  const read = readUrl(text, faults);
  for (const fault of faults) problems.add(given.option, `${showUrl(text)} ${fault}`);
  return read && { given, ...read };
}

function readUrl(text: string, faults: string[]): Omit<RedisUrl, 'given'> | undefined {
  const scheme = /^(redis|rediss|unix):\/\//i.exec(text)?.[1]?.toLowerCase() as
    RedisUrl['scheme'] | undefined;
  if (!scheme) {
    faults.push(`does not begin with ${SCHEMES}`);
    return undefined;
  }
  const url = parse(text, scheme);
  if (!url) {
    faults.push(`cannot be read as a URL (host, port 1 to 65535, database); ${ENCODE_HINT}`);
    return { scheme, target: undefined, username: undefined, password: undefined, db: undefined };
  }
  if (url.hash) faults.push(`has a '#'; ${ENCODE_HINT}`);
  const target = scheme === 'unix' ? readSocket(url, faults) : readServer(url, faults);
  const db = readDatabase(url, scheme, faults);
  return { scheme, target, db, ...readLogin(url, faults) };
}

/**
 * Undefined where the text is no URL, or one that cannot have been meant so: an `@` behind a `/`, `?` or `#` is the end of a
 * password with one of them in it. WHATWG URLs leave white space out silently, and know no user without a host: a socket gets
 * one for the parsing.
 */
function parse(text: string, scheme: RedisUrl['scheme']): URL | undefined {
  const isCutPassword = scheme !== 'unix' && /^[^/]+\/\/[^/?#]*[/?#].*@/.test(text);
  const withHost = text.replace(/^(unix:\/\/)([^/]*@)?(?=\/)/i, '$1$2localhost');
  // The error of `new URL` holds the whole text, password included, and must not get out.
  return /\s/.test(text) || isCutPassword || !URL.canParse(withHost) ? undefined : new URL(withHost);
}

function readServer(url: URL, faults: string[]): RedisTarget | undefined {
  const host = url.hostname === '' ? undefined : readHost(decode(url.hostname, faults) ?? '');
  const port = url.port === '' ? 6379 : Number(url.port);
  if (host === undefined) faults.push('has no host');
  if (!isPort(port)) faults.push('has a port that is not within 1 to 65535');
  return host !== undefined && isPort(port) ? { kind: 'standalone', host, port } : undefined;
}

function readSocket(url: URL, faults: string[]): RedisTarget | undefined {
  const path = decode(url.pathname, faults);
  if (url.host === 'localhost' && path !== undefined && path !== '/') return { kind: 'socket', path };
  faults.push('has no path of a socket; expected unix:///path/to/redis.sock');
  return undefined;
}

/** Neither of them where one is wrong: what the other means is then not known. */
function readLogin(url: URL, faults: string[]): Pick<RedisUrl, 'username' | 'password'> {
  const username = decode(url.username, faults);
  const password = decode(url.password, faults);
  const isWrong = username === undefined || password === undefined;
  return { username: (!isWrong && username) || undefined, password: (!isWrong && password) || undefined };
}

function readDatabase(url: URL, scheme: RedisUrl['scheme'], faults: string[]): number | undefined {
  const unknown = [...new Set(url.searchParams.keys())].filter((name) => name !== 'db');
  if (unknown.length > 0) {
    const names = unknown.map((name) => showValue(name)).join(', ');
    faults.push(
      `has unknown query parameters: ${names}; known is db, all else is an option or variable of its own`,
    );
  }
  const inPath = scheme === 'unix' ? '' : url.pathname.slice(1);
  const texts = [inPath, ...url.searchParams.getAll('db')].filter((text) => text !== '');
  const numbers = texts.map((text) => (/^\d{1,10}$/.test(text) ? Number(text) : NaN));
  if (numbers.some((number) => !(number <= MAX_DB))) {
    faults.push(`has a database that is not an integer of 0 or more; ${ENCODE_HINT}`);
  } else if (new Set(numbers).size > 1) {
    faults.push('names different databases');
  }
  return numbers[0];
}

function decode(text: string, faults: string[]): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    faults.push(`has a '%' that is no percent-encoding; ${ENCODE_HINT}`);
    return undefined;
  }
}
