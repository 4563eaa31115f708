/**
 * Whether `promise` settles before `deadline` (on the clock of `performance.now()`); how it settles is not looked at.
 *
 * @param process whether the wait keeps it alive: what is to be done after it is lost otherwise, when nothing else does
 */
export async function settlesBefore(
  promise: Promise<unknown>,
  deadline: number,
  process: 'held' | 'free' = 'held',
): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(resolve, Math.max(0, deadline - performance.now()), false);
    if (process === 'free') timer.unref();
  });
  const settled = (): boolean => true;
  try {
    return await Promise.race([promise.then(settled, settled), late]);
  } finally {
    clearTimeout(timer);
  }
}
