/** Hands the counts to `scripts/test.mjs`, which prints them after Jest's own summary: reporters run before that. */
export default class TallyReporter {
  onRunComplete(_contexts, results) {
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
    const skipped = results.numPendingTests + results.numTodoTests;
    process.send?.(`${results.numPassedTests} passed, ${failed} failed, ${skipped} skipped`);
  }
}
