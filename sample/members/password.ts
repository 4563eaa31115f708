import { randomBytes, scrypt, timingSafeEqual, type ScryptOptions } from 'node:crypto';

/** scrypt (RFC 7914) with 32 MiB: some 60 ms, which is what somebody who guesses has to pay each time. */
const COST: ScryptOptions = { N: 2 ** 15, r: 8, p: 1, maxmem: 64 * 1024 * 1024 };
const LENGTH = 32;

/** What is kept of a password. */
export interface PasswordHash {
  /** Both in base64. */
  readonly salt: string;
  readonly hash: string;
}

export async function hashPassword(password: string): Promise<PasswordHash> {
  const salt = randomBytes(16);
  const hash = await derive(password, salt);
  return { salt: salt.toString('base64'), hash: hash.toString('base64') };
}

/** @param expected undefined where there is nobody of that name: it takes as long, so that a login tells nobody who is a member */
export async function isPassword(password: string, expected: PasswordHash | undefined): Promise<boolean> {
  const salt = expected ? Buffer.from(expected.salt, 'base64') : Buffer.alloc(16);
  const hash = await derive(password, salt);
  return expected !== undefined && timingSafeEqual(hash, Buffer.from(expected.hash, 'base64'));
}

function derive(password: string, salt: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password, salt, LENGTH, COST, (error, key) => (error ? reject(error) : resolve(key)));
  });
}
