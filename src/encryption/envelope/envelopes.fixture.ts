import { randomBytes } from 'node:crypto';
import { EncryptionEventPublisher } from '../encryption-events.js';
import { KeyRing } from '../keys/key-ring.js';
import { RingKey } from '../keys/ring-key.js';
import { encryptGcm } from '../suites/aes-gcm.js';
import { NONCE_LENGTH } from '../suites/key-derivation.js';
import { SUITES, type SuiteName } from '../suites/suites.js';
import { associatedData } from './associated-data.js';
import { Envelopes } from './envelopes.js';
import { HEADER_LENGTH, overheadOf, writeHeader } from './header.js';
import type { Nonces } from './nonce-source.js';
import type { Binding, Place } from './place.js';

export const suites = Object.keys(SUITES) as SuiteName[];
export const bindings = ['key', 'context', 'none'] as const satisfies readonly Binding[];

/** Each suite with each binding. */
export const combinations = suites.flatMap((suite) => bindings.map((binding) => ({ suite, binding })));

export const PLACE: Place = { namespace: 'payments', key: 'card:7', field: 'number', context: 'tenant:1' };

interface GivenKey {
  readonly id: number;
  readonly bytes: Uint8Array;
}

/** A ring of keys, the primary one first: by default one random key. */
export function ringOf(...keys: readonly GivenKey[]): KeyRing {
  const given = keys.length > 0 ? keys : [{ id: 0x0a0b0c0d, bytes: randomBytes(32) }];
  const [primary, ...others] = given.map(({ id, bytes }) => new RingKey(id, Buffer.from(bytes)));
  return new KeyRing(primary!, others);
}

export function envelopesOf(ring: KeyRing, nonces?: Nonces): Envelopes {
  return new Envelopes(ring, new EncryptionEventPublisher('test'), nonces);
}

/** An envelope that is authentic, with flags that this version would not write. */
export function sealedWithFlags(ring: KeyRing, suiteName: SuiteName, flags: number): Buffer {
  const suite = SUITES[suiteName];
  const plaintext = Buffer.from('of a later version');
  const envelope = Buffer.alloc(overheadOf(suite) + plaintext.length);
  const { id: keyId } = ring.primary;
  writeHeader(envelope, { suite, keyId, encoding: 'bytes', binding: 'key', hasContext: false });
  envelope[2] = flags;
  const nonce = randomBytes(NONCE_LENGTH);
  const message = ring.primary.derivation(suiteName).derive(nonce);
  const { ciphertext, tag } = encryptGcm(message, plaintext, associatedData(envelope, PLACE, 'key'));
  const parts = [envelope.subarray(0, HEADER_LENGTH), nonce, message.commitment ?? Buffer.alloc(0)];
  return Buffer.concat([...parts, ciphertext, tag]);
}
