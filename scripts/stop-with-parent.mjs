/** Preloaded into the sample application: it stops when the command that started it dies, in good order if it can. */
process.once('disconnect', () => {
  process.kill(process.pid, 'SIGTERM');
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), 10_000).unref();
});
process.channel.unref();
