/** Of 32 random bytes some 30 are different; fewer than these come about once in more than 10^13 keys. */
const FEWEST_DIFFERENT = 16;

/** Why a key cannot have come from a random source, or undefined where it may have. A random key is refused less than once in 10^13. */
export function weaknessOf(key: Uint8Array): string | undefined {
  if (key.every((byte) => byte === 0)) return 'is all zeros';
  if (key.every(isPrintable))
    return "is text, not random bytes: a password is no key; 'openssl rand -hex 32' makes one";
  if (new Set(key).size < FEWEST_DIFFERENT || isRegular(key))
    return "has too little entropy to be random: 'openssl rand -hex 32' makes a key";
  return undefined;
}

function isPrintable(byte: number): boolean {
  return byte >= 0x20 && byte <= 0x7e;
}

/** Each byte is as far from the one before it (00 01 02 …), or one half is the other. */
function isRegular(key: Uint8Array): boolean {
  const step = (key[1]! - key[0]!) & 0xff;
  if (key.every((byte, at) => at === 0 || ((byte - key[at - 1]!) & 0xff) === step)) return true;
  const half = key.length / 2;
  return key.subarray(0, half).every((byte, at) => byte === key[half + at]);
}
