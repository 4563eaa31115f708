import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { EncryptionConfigurationError } from '../options/encryption-configuration-error.js';
import { readResume, writeResume, type ResumePoint, type RotationSubject } from './resume-token.js';

const subject: fc.Arbitrary<RotationSubject> = fc.record({
  namespace: fc.string(),
  match: fc.string({ unit: 'grapheme' }),
  plaintext: fc.constantFrom('leave' as const, 'encrypt' as const),
  to: fc.stringMatching(/^[0-9a-f]{8}$/),
});
const cursor = fc.oneof(
  fc.constant('end'),
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((each) => String(each)),
);
const point: fc.Arbitrary<ResumePoint> = fc.record({
  slots: fc.string(),
  cursors: fc.array(fc.tuple(fc.stringMatching(/^[0-9a-f]{40}$/), cursor)),
});

it('gives back where it was stopped, for the same rotation and no other', () => {
  fc.assert(
    fc.property(subject, subject, point, (its, other, stopped) => {
      const text = writeResume(its, stopped);
      expect(readResume(text, its)).toEqual(stopped);
      fc.pre(JSON.stringify(its) !== JSON.stringify(other));
      expect(() => readResume(text, other)).toThrow(EncryptionConfigurationError);
    }),
  );
});

it('refuses whatever else is given', () => {
  const json = fc.json().map((text) => Buffer.from(text).toString('base64url'));
  fc.assert(
    fc.property(fc.oneof(fc.string(), json), subject, (text, its) => {
      expect(() => readResume(text, its)).toThrow(EncryptionConfigurationError);
    }),
  );
});

it.each([
  [1, [], '', [['run', '-1']]],
  [1, [], '', [['run', 'MATCH']]],
  [1, [], '', [[1, '1']]],
  [1, [], 2, []],
  [2, [], '', []],
])('refuses %p', (...content) => {
  const text = Buffer.from(JSON.stringify(content)).toString('base64url');
  expect(() => readResume(text, { namespace: 'n', match: '*', plaintext: 'leave', to: '1' })).toThrow(
    /is not what the report/,
  );
});
