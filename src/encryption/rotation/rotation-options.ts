/** Of a sweep through the keys of a namespace. */
export interface SweepOptions {
  /** A pattern of Redis for the keys, without the namespace. @default '*' */
  match?: string;
  /** How many keys, and how many fields of hashes, are worked on at a time: 1 to 10,000. @default 100 */
  concurrency?: number;
  /** Called after each step, and at the end of each phase. What it throws is warned of, and does not end the sweep. */
  onProgress?: (progress: RotationProgress) => void;
  /** Stops it when it is aborted: what is done stays done, and the report says where to go on. */
  signal?: AbortSignal;
}

/** How a rotation is done. */
export interface RotationOptions extends SweepOptions {
  /** Goes on where a rotation was stopped: the `resume` of its report, with the same `match` and primary key. */
  resume?: string | undefined;
  /**
   * The context of a value, for those that were written with one: without it they are left as they are, and counted as refused. What it
   * throws ends the rotation, and is thrown.
   */
  contextOf?: (key: string, field: string | undefined) => string | Uint8Array | undefined;
  /**
   * `'encrypt'` also encrypts what is not encrypted yet, while `migratePlaintext` accepts it. It needs a `match`, and takes all values and all
   * fields of hashes under it, those that were never to be encrypted too. @default 'leave'
   */
  plaintext?: 'leave' | 'encrypt';
}

/** How far a sweep is. */
export interface RotationProgress {
  /** Encrypting, and then counting what is under which key. Each begins at 0. */
  readonly phase: 'rotating' | 'counting';
  /** How many keys of the servers were looked at: an estimate, since a server tells only of those that match. It never falls. */
  readonly done: number;
  /** How many keys the servers had at the start. `done` is as many at the end. */
  readonly total: number;
  /** Values and fields that were encrypted anew until now. */
  readonly reencrypted: number;
}
