import { expect, it } from '@jest/globals';
import { reportedKey } from './key-text.js';

it('shows a key as it is where it is text, and its bytes where it is none', () => {
  expect(reportedKey(Buffer.from('straße:\\x'))).toEqual({ key: 'straße:\\x' });
  const raw = Buffer.from([0x61, 0xff, 0x5c, 0x0a]);
  expect(reportedKey(raw)).toEqual({ key: 'a\\xff\\\\\\x0a', raw });
});
