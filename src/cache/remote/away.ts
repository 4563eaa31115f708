/** Stands for the reply of a Redis that is away, too slow, or refuses: the cache then does without. */
export const AWAY = Symbol('rednest:away');

export type Away = typeof AWAY;
