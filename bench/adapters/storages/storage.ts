/** Where hits are counted. */
export interface Storage {
  readonly name: string;
  hit(client: string): Promise<unknown>;
  close(): Promise<unknown>;
}

/** Of every hit, in milliseconds: short enough that old ones cease to count during a run. */
export const ttl = 1_000;

/** Never reached. */
export const limit = 1_000_000;

export async function closeAll(storages: readonly Storage[]): Promise<void> {
  await Promise.all(storages.map((storage) => storage.close()));
}
