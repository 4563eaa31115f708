/** How a value is encrypted. */
export type SuiteName = 'xaes-256-gcm' | 'committing-aes-256-gcm';

/** A suite as an envelope has it. */
export interface Suite {
  readonly name: SuiteName;
  /** The byte that stands for it. */
  readonly id: number;
  /** Bytes of the commitment after the nonce. */
  readonly commitmentLength: 0 | 32;
}

export const SUITES: Readonly<Record<SuiteName, Suite>> = {
  'xaes-256-gcm': { name: 'xaes-256-gcm', id: 1, commitmentLength: 0 },
  'committing-aes-256-gcm': { name: 'committing-aes-256-gcm', id: 2, commitmentLength: 32 },
};

const BY_ID: readonly (Suite | undefined)[] = [undefined, ...Object.values(SUITES)];

export function suiteOf(id: number): Suite | undefined {
  return BY_ID[id];
}
