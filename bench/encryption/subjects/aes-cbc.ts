import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { Subject } from './subject.js';

/** The helper that is found everywhere: a random IV, hexadecimal text, and no authentication. */
export function aesCbcSnippet(key: Buffer): Subject {
  return {
    name: 'the AES-256-CBC snippet',
    authenticates: false,
    encrypt(plaintext) {
      const iv = randomBytes(16);
      const cipher = createCipheriv('aes-256-cbc', key, iv);
      const encrypted = Buffer.concat([cipher.update(plaintext), cipher.final()]);
      return `${iv.toString('hex')}:${encrypted.toString('hex')}`;
    },
    decrypt(sealed) {
      const [iv, encrypted] = (sealed as string).split(':') as [string, string];
      const decipher = createDecipheriv('aes-256-cbc', key, Buffer.from(iv, 'hex'));
      return Buffer.concat([decipher.update(Buffer.from(encrypted, 'hex')), decipher.final()]);
    },
  };
}
