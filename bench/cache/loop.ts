/** Awaits one operation after the other, over and over the same keys. Their number is a power of two. */
export type Loop = (
  operation: (key: string) => Promise<unknown>,
  keys: readonly string[],
  operations: number,
) => Promise<void>;

export const loop: Loop = async (operation, keys, operations) => {
  const mask = keys.length - 1;
  for (let index = 0; index < operations; index++) await operation(keys[index & mask] as string);
};

let copies = 0;

/**
 * The loop, compiled for one contender alone. One that all share is optimised for none of them: what it adds would be
 * more than what a hit in memory takes.
 */
export async function freshLoop(): Promise<Loop> {
  const module = (await import(`${import.meta.url}?copy=${copies++}`)) as { loop: Loop };
  return module.loop;
}
