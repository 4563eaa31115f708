/** What encrypts, as the cases use it. */
export interface Subject {
  readonly name: string;
  /** Whether it refuses what was altered. */
  readonly authenticates: boolean;
  encrypt(plaintext: Buffer): Sealed | Promise<Sealed>;
  decrypt(sealed: Sealed): Buffer | Promise<Buffer>;
}

export type Sealed = Buffer | string;
