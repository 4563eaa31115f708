/** What applications cannot make, checked by `tsc --noEmit`. Nothing of it runs. */
import * as rednest from 'rednest';

// @ts-expect-error: a type; who acquires a lock gets one
export const lease = (): unknown => new rednest.Lease();

// @ts-expect-error: a type; LockService makes them
export const lock = (): unknown => new rednest.Lock();

export type Names = [rednest.Lease, rednest.Lock];
