import { parseDuration, RedisConfigurationError, type ConfigurationProblem } from '../../redis/index.js';
import { parseByteSize } from '../../redis/shared.js';
import { CacheConfigurationError } from '../options/cache-configuration-error.js';
import type { HttpCacheOptions } from './http-cache-options.js';

const HEADER_NAME = /^[\w!#$%&'+.^`|~-]+$/;
const FUNCTION = { isRight: (value: unknown) => typeof value === 'function', expected: 'a function' };

type Option = keyof HttpCacheOptions;

const USER_PROBLEM = {
  option: 'user',
  message: "is missing: scope 'user' needs a function that tells who asks",
};
const SCOPE_PROBLEM = { option: 'scope', message: "must be 'user' where the option user is given" };

/** How each option is checked: by what parses it, or by what it has to be. */
const RULES: Readonly<
  Record<Option, { isRight: (value: unknown) => boolean; expected: string } | ((value: never) => unknown)>
> = {
  ttl: (value) => parseDuration(value, 'ttl'),
  stale: (value) => parseDuration(value, 'stale'),
  waitTimeout: (value) => parseDuration(value, 'waitTimeout'),
  maxBodySize: (value) => parseByteSize(value, 'maxBodySize'),
  tags: {
    isRight: (value) => typeof value === 'function' || isListOf(value, isText),
    expected: 'a list of tags, or a function that returns one',
  },
  key: FUNCTION,
  user: FUNCTION,
  refresh: FUNCTION,
  query: { isRight: (value) => isListOf(value, isText), expected: 'a list of parameter names' },
  vary: { isRight: (value) => isListOf(value, isHeaderName), expected: "a list of header names (not '*')" },
  scope: oneOf('shared', 'user'),
  credentials: oneOf('bypass', 'ignore'),
  cacheControl: oneOf('max-age', 'revalidate', false),
  cache: { isRight: isText, expected: 'the name of a cache' },
};

/**
 * Checks the options of one `@HttpCache`: what it lacks may stand on the controller, or on the handler.
 *
 * @param subject how the error names it: `@HttpCache on Cities.findOne`
 * @throws CacheConfigurationError that lists every problem
 */
export function checkHttpCacheOptions<Request>(subject: string, options: HttpCacheOptions<Request>): void {
  const problems: ConfigurationProblem[] = [];
  for (const [option, value] of Object.entries(options) as [Option, unknown][])
    if (value !== undefined) problems.push(...problemsOf(option, value));
  if (options.user !== undefined && options.scope === 'shared') problems.push(SCOPE_PROBLEM);
  if (problems.length > 0) throw new CacheConfigurationError(subject, problems);
}

/**
 * Checks whether the options of a handler and its controller make sense together.
 *
 * @throws CacheConfigurationError if it is not told who asks, or not said that it matters
 */
export function checkMergedOptions<Request>(
  subject: string,
  { scope, user }: Pick<HttpCacheOptions<Request>, 'scope' | 'user'>,
): void {
  if (scope === 'user' && user === undefined) throw new CacheConfigurationError(subject, [USER_PROBLEM]);
  if (user !== undefined && scope === undefined) throw new CacheConfigurationError(subject, [SCOPE_PROBLEM]);
}

function problemsOf(option: Option, value: unknown): readonly ConfigurationProblem[] {
  if (!Object.hasOwn(RULES, option)) {
    const message = `there is no such option; there are ${Object.keys(RULES).join(', ')}`;
    return [{ option, message }];
  }
  const rule = RULES[option];
  if (typeof rule !== 'function')
    return rule.isRight(value) ? [] : [{ option, message: `${show(value)} is not ${rule.expected}` }];
  try {
    rule(value as never);
    return [];
  } catch (error) {
    if (!(error instanceof RedisConfigurationError)) throw error;
    return error.problems;
  }
}

function oneOf(...accepted: readonly (string | false)[]): {
  isRight: (value: unknown) => boolean;
  expected: string;
} {
  const isRight = (value: unknown): boolean => (accepted as readonly unknown[]).includes(value);
  const names = accepted.map((value) => (value === false ? 'false' : `'${value}'`));
  return { isRight, expected: `one of ${names.join(', ')}` };
}

function isListOf(value: unknown, isRight: (item: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every(isRight);
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}

function isHeaderName(value: unknown): boolean {
  return typeof value === 'string' && HEADER_NAME.test(value);
}

function show(value: unknown): string {
  return typeof value === 'function' ? 'a function' : (JSON.stringify(value) ?? String(value));
}
