// Read before anything else happens, so that it is npm's shell even if that dies during the set-up.
const parent = process.ppid;

/**
 * Calls back with the signal when this command is to stop: as it is told, or because npm is gone. npm runs a command through
 * a shell, and what it passes on ends that shell and goes no further.
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
