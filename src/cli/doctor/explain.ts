import type { RedisError } from '../../redis/index.js';

/** What to do about a connection that cannot be made. @param prefix what the variables begin with */
export function connectionAdvice(error: RedisError, prefix: string): string {
  const known = BY_TEXT.find(([pattern]) => pattern.test(error.message));
  if (known) return known[1](prefix);
  return BY_CODE[error.code]?.(prefix) ?? 'Look into the log of the server';
}

type Advice = (prefix: string) => string;

const BY_TEXT: ReadonlyArray<readonly [RegExp, Advice]> = [
  [
    /^LOADING/,
    () => 'It reads its data set into memory: wait until it has (INFO persistence tells how far it is)',
  ],
  [/^BUSY/, () => 'A script runs for long: SCRIPT KILL ends one that has not written yet'],
  [/^MASTERDOWN/, () => 'It is a replica that has lost its master (replica-serve-stale-data no)'],
  [
    /max number of clients/i,
    () => 'maxclients is reached: raise it, or find out who holds connections (CLIENT LIST)',
  ],
  [
    /^DENIED|protected mode/i,
    () =>
      'The server lets in nobody from another machine before it has a password or a user (protected-mode)',
  ],
  [
    /^NOAUTH|authentication required/i,
    (prefix) =>
      `The server wants a password: set ${prefix}PASSWORD (and ${prefix}USERNAME, for a user other than default)`,
  ],
  [
    /without any password|no password is set/i,
    (prefix) => `The user default has no password: leave out ${prefix}PASSWORD, or give the server one`,
  ],
  [
    /cluster support disabled/i,
    (prefix) => `It is no Cluster: set ${prefix}URL, and leave out ${prefix}CLUSTER_NODES`,
  ],
  [/sentinel/i, (prefix) => `Do the Sentinels know ${prefix}SENTINEL_MASTER, and let this user in?`],
  [
    /^no answer$/,
    () =>
      'It accepts connections and says nothing: it is stopped, overloaded, or something in between swallows it',
  ],
];

const BY_CODE: Readonly<Partial<Record<RedisError['code'], Advice>>> = {
  REDIS_AUTH: (prefix) =>
    `Are ${prefix}USERNAME and ${prefix}PASSWORD those of the server (ACL LIST), and is the user on?`,
  REDIS_PERMISSION: () => 'Grant the user what docs/redis.md lists under "The smallest ACL"',
  REDIS_TLS: (prefix) =>
    `Is the authority right (${prefix}CA_CERT), and the name that is dialled in the certificate?`,
  REDIS_CLUSTER: () => 'The Cluster is down or not complete: CLUSTER INFO tells',
  REDIS_UNAVAILABLE: () => 'Is the server running, and is there a way to it from here?',
};
