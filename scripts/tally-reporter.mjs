/** Hands the counts to `scripts/test.mjs`, which prints them after Jest's own summary: reporters run before that. */
export default class TallyReporter {
  onRunComplete(_contexts, results) {
    const failures = results.testResults.filter(
      ({ numFailingTests, testExecError }) => numFailingTests > 0 || testExecError,
    );
    process.send?.({
      passed: results.numPassedTests,
      failed: results.numFailedTests + results.numRuntimeErrorTestSuites,
      skipped: results.numPendingTests + results.numTodoTests,
      // Of the files in which something has failed: those are counted anew where they run again.
      failures: failures.map((file) => ({
        path: file.testFilePath,
        passed: file.numPassingTests,
        skipped: file.numPendingTests + file.numTodoTests,
      })),
    });
  }
}
