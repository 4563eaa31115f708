/** Of a sweep through the keys of a namespace. */
export interface SweepOptions {
  /** A pattern of Redis for the keys, without the namespace. @default '*' */
  match?: string;
  /** How many keys are worked on at a time. @default 100 */
  concurrency?: number;
  /** Called after each step. */
  onProgress?: (progress: RotationProgress) => void;
  /** Stops it when it is aborted: what is done stays done, and the report says where to go on. */
  signal?: AbortSignal;
}

/** How a rotation is done. */
export interface RotationOptions extends SweepOptions {
  /** Goes on where a rotation was stopped: the `resume` of its report. */
  resume?: string;
  /** The context of a value, for those that were written with one: without it they are left as they are, and counted as refused. */
  contextOf?: (key: string, field: string | undefined) => string | Uint8Array | undefined;
  /** `'encrypt'` also encrypts what is not encrypted yet, while `migratePlaintext` accepts it. @default 'leave' */
  plaintext?: 'leave' | 'encrypt';
}

/** How far a sweep is. */
export interface RotationProgress {
  /** Encrypting, and then counting what is under which key. */
  readonly phase: 'rotating' | 'counting';
  /** How many keys of the servers were looked at: an estimate, since a server tells only of those that match. */
  readonly done: number;
  /** How many keys the servers have. */
  readonly total: number;
  /** Values and fields that were encrypted anew until now. */
  readonly reencrypted: number;
}
