import { describe, expect, it } from '@jest/globals';
import { validateEnvironment } from './environment.js';

describe('validateEnvironment', () => {
  it('takes port 3000 and no delay where none is given, and leaves the other variables as they are', () => {
    expect(validateEnvironment({ HOME: '/home/atlas' })).toEqual({
      HOME: '/home/atlas',
      PORT: 3000,
      SHUTDOWN_DELAY: '0s',
      PROXIES: 0,
    });
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
    expect(validateEnvironment({ PORT: given })).toMatchObject({ PORT: port });
  });

  it.each(['', 'http', '-1', '65536', '80.5'])("refuses the port '%s', and names the variable", (given) => {
    expect(() => validateEnvironment({ PORT: given })).toThrow('PORT is a whole number from 0 to 65535');
  });

  it.each(['0s', '5s', '500ms'])('takes the delay %s', (given) => {
    expect(validateEnvironment({ SHUTDOWN_DELAY: given })).toMatchObject({ SHUTDOWN_DELAY: given });
  });

  it.each(['', '5', '5 s', '-1s', 'soon'])("refuses the delay '%s', and names the variable", (given) => {
    expect(() => validateEnvironment({ SHUTDOWN_DELAY: given })).toThrow('SHUTDOWN_DELAY is a duration');
  });

  it.each(['', '-1', 'all'])("refuses '%s' proxies, and names the variable", (given) => {
    expect(() => validateEnvironment({ PROXIES: given })).toThrow('PROXIES is a whole number from 0 to 9');
  });

  it('refuses a secret that is too short, and does not show it', () => {
    expect(() => validateEnvironment({ SESSION_SECRET: 'too-short' })).toThrow(
      /^(?!.*too-short).*SESSION_SECRET has at least 32 characters/,
    );
  });
});
