import { randomBytes } from 'node:crypto';

/** Of the part of a member that is before the id. */
const NONCE_LENGTH = 11;
const MARK = /^([0-9a-f]{8})\.[\w-]{43}:([\w-]{11})$/;

/**
 * Where a record is in an index: the token of the entry, and what its member there begins with. Each save makes a member of its own, so that
 * one that is removed with a record's former state is never that of its present one.
 */
export interface IndexMark {
  /** Id of the key that the token is under. */
  readonly keyId: string;
  readonly token: string;
  readonly nonce: string;
}

/** A new mark under a token. */
export function newMark(token: string): IndexMark {
  return { keyId: token.slice(0, 8), token, nonce: randomBytes(8).toString('base64url') };
}

/** As it stands in the hash of the record. */
export function showMark({ token, nonce }: IndexMark): string {
  return `${token}:${nonce}`;
}

/** Undefined for what is no mark. */
export function parseMark(text: string | null | undefined): IndexMark | undefined {
  const match = MARK.exec(text ?? '');
  return match
    ? { keyId: match[1]!, token: match[0].slice(0, -NONCE_LENGTH - 1), nonce: match[2]! }
    : undefined;
}

/** The member of an entry for a record. */
export function memberOf({ nonce }: IndexMark, id: string): string {
  return `${nonce}${id}`;
}

/** A member of an entry, as it was read. */
export interface IndexMember {
  readonly token: string;
  readonly member: string;
  /** Of the record. */
  readonly id: string;
}

export function parseMember(token: string, member: string): IndexMember {
  return { token, member, id: member.slice(NONCE_LENGTH) };
}

/** Whether a record's mark is for this member. */
export function isMarked(mark: IndexMark | undefined, { token, member, id }: IndexMember): boolean {
  return mark !== undefined && mark.token === token && memberOf(mark, id) === member;
}
