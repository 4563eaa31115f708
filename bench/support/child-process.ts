import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

/** The next message of a process. @throws where it ends before */
export async function messageOf(child: ChildProcess): Promise<unknown> {
  const abandoned = new AbortController();
  const { signal } = abandoned;
  const exited = once(child, 'exit', { signal }).then(([code]) => {
    throw new Error(`A process of the benchmark ended with code ${code}`);
  });
  try {
    const [message] = (await Promise.race([once(child, 'message', { signal }), exited])) as [unknown];
    return message;
  } finally {
    exited.catch(() => undefined);
    abandoned.abort();
  }
}
