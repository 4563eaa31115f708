/** What `exec()` of a transaction or pipeline gives: null for a transaction that a watched key aborted. */
type ExecResult = [error: Error | null, reply: unknown][] | null;

/**
 * The replies of a transaction. Redis goes on after a command that fails, and the driver reports it in its place only: here the first
 * failure is thrown, so that none is overlooked.
 */
export function transactionReplies(result: ExecResult): unknown[] {
  if (!result) throw new Error('The transaction was aborted');
  return result.map(([error, reply]) => {
    if (error) throw error;
    return reply;
  });
}
