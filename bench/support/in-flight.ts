/** Does the work `runs` times, with so many of them under way at a time. */
export async function runInFlight(
  runs: number,
  inFlight: number,
  work: (index: number) => Promise<unknown>,
): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < runs) await work(next++);
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
}
