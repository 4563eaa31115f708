import { describe, expect, it } from '@jest/globals';
import { validateEnvironment } from './environment.js';

describe('validateEnvironment', () => {
  it('takes port 3000 where none is given, and leaves the other variables as they are', () => {
    expect(validateEnvironment({ HOME: '/home/atlas' })).toEqual({ HOME: '/home/atlas', PORT: 3000 });
  });

  it('leaves keys to EncryptionModule, and shows none of them', () => {
    const keys = { ENCRYPTION_KEY: 'no-key', ENCRYPTION_DECRYPT_KEYS: 'no-key-either' };
    expect(validateEnvironment(keys)).toMatchObject(keys);
    expect(() => validateEnvironment({ ...keys, PORT: '-1' })).toThrow(/^(?!.*no-key).*PORT/);
  });

  it.each([
    ['8080', 8080],
    ['0', 0],
    ['65535', 65_535],
  ])('takes port %s', (given, port) => {
    expect(validateEnvironment({ PORT: given })).toEqual({ PORT: port });
  });

  it.each(['', 'http', '-1', '65536', '80.5'])("refuses the port '%s', and names the variable", (given) => {
    expect(() => validateEnvironment({ PORT: given })).toThrow('PORT is a whole number from 0 to 65535');
  });
});
