/** What `promise` gives, or `'late'` after `timeout` milliseconds. @throws what it rejects with before that */
export async function settledWithin<T>(promise: Promise<T>, timeout: number): Promise<T | 'late'> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'late'>((resolve) => (timer = setTimeout(resolve, timeout, 'late').unref()));
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
