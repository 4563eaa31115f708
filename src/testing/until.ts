import { setTimeout as sleep } from 'node:timers/promises';

const pollInterval = 15;

/**
 * Asks again and again until the answer is not `undefined`. A question that fails, as in the middle of a failover, is asked
 * again too.
 *
 * @throws Error that says `what` was waited for, with the last failure as its cause
 */
export async function until<T>(
  ask: () => Promise<T | undefined>,
  options: { timeout: number; what: string },
): Promise<T> {
  const deadline = AbortSignal.timeout(options.timeout);
  let cause: unknown;
  while (!deadline.aborted) {
    try {
      const answer = await beforeAbort(ask(), deadline);
      if (answer !== undefined) return answer;
      cause = undefined;
    } catch (error) {
      cause = error;
    }
    await sleep(pollInterval);
  }
  throw new Error(`${options.what} did not happen within ${options.timeout} ms`, { cause });
}

async function beforeAbort<T>(answer: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(new Error('No answer in time'));
    signal.addEventListener('abort', abort);
    answer.finally(() => signal.removeEventListener('abort', abort)).then(resolve, reject);
  });
}
