// Read before anything else happens, so that its end during the set-up is noticed too.
const parent = process.ppid;

/**
 * Calls back with the signal when this command is to stop: as it is told, or because npm, which started it, is gone without
 * having passed anything on.
 */
export function onStop(callback) {
  let timer;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      // What ends this command has then most likely ended the shell too: one request, not two.
      clearInterval(timer);
      callback(signal);
    });
  }
  if (!process.env.npm_lifecycle_event) return;
  timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    callback('SIGTERM');
  }, 500);
  timer.unref();
}
