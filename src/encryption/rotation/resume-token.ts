import { EncryptionConfigurationError } from '../options/encryption-configuration-error.js';

/** What a rotation is of: it is gone on with only for the same. */
export interface RotationSubject {
  readonly namespace: string;
  readonly match: string;
  readonly plaintext: 'leave' | 'encrypt';
  /** Id of the primary key. */
  readonly to: string;
}

/** Where a rotation was stopped. */
export interface ResumePoint {
  /** Of which master which slots were. */
  readonly slots: string;
  /** By the run id of each server. */
  readonly cursors: readonly (readonly [server: string, cursor: string])[];
}

const VERSION = 1;

export function writeResume(
  { namespace, match, plaintext, to }: RotationSubject,
  point: ResumePoint,
): string {
  const content = [VERSION, [namespace, match, plaintext, to], point.slots, point.cursors];
  return Buffer.from(JSON.stringify(content)).toString('base64url');
}

/** @throws EncryptionConfigurationError where it is of another rotation, or of none */
export function readResume(text: string, { namespace, match, plaintext, to }: RotationSubject): ResumePoint {
  const [subject, slots, cursors] = parse(text);
  const given = { namespace, match, plaintext, 'primary key': to };
  const other = Object.entries(given).findIndex(([, value], position) => subject[position] !== value);
  if (other === -1) return { slots, cursors };
  const [name, value] = Object.entries(given)[other]!;
  throw fault(`is of a rotation with ${name} '${String(subject[other])}', and this one has '${value}'`);
}

type Content = readonly [readonly unknown[], string, ResumePoint['cursors']];

function parse(text: string): Content {
  let content: unknown;
  try {
    content = JSON.parse(Buffer.from(text, 'base64url').toString());
  } catch {
    content = undefined;
  }
  if (!Array.isArray(content)) throw fault('is not what the report of a rotation has in resume');
  const [version, subject, slots, cursors] = content as unknown[];
  const isRight =
    version === VERSION &&
    Array.isArray(subject) &&
    typeof slots === 'string' &&
    Array.isArray(cursors) &&
    cursors.every(isCursor);
  if (!isRight) throw fault('is not what the report of a rotation has in resume');
  return [subject, slots, cursors as ResumePoint['cursors']];
}

function isCursor(value: unknown): boolean {
  return Array.isArray(value) && typeof value[0] === 'string' && /^(?:\d{1,20}|end)$/.test(String(value[1]));
}

function fault(message: string): EncryptionConfigurationError {
  return new EncryptionConfigurationError('EncryptedStore.rotate', [{ option: 'resume', message }]);
}
