import { RedisError, RedisWrongTypeError } from '../../redis/index.js';
import { EncryptionError } from '../encryption-errors.js';

/** Why a record cannot be read: it was altered, is under a key that is not here, is no record, or its class has thrown an error. */
export class Refusal {
  readonly message: string;

  constructor(error: unknown) {
    // What the application's code throws may show a value.
    const isShown = error instanceof EncryptionError || error instanceof RedisError;
    this.message = isShown ? error.message : 'its class has thrown an error';
  }
}

/**
 * What is read of a record, or why nothing is: whoever can write to Redis can put anything there, and that is no reason to give up the others.
 *
 * @throws RedisError, unless there is something else than a hash
 */
export async function orRefusal<T>(read: () => Promise<T>): Promise<T | Refusal> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof RedisError && !(error instanceof RedisWrongTypeError)) throw error;
    return new Refusal(error);
  }
}
