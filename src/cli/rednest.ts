#!/usr/bin/env node
import { run } from './run.js';
import { Terminal } from './output/terminal.js';

const stopping = new AbortController();
// Once: what is under way is finished and printed, and who cannot wait for that asks again.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => stopping.abort());

for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    // Whoever reads (`| head`) has seen enough.
    if (error.code === 'EPIPE') process.exit();
    throw error;
  });

process.exitCode = await run(process.argv.slice(2), {
  terminal: new Terminal(process.stdout, process.stderr),
  signal: stopping.signal,
});
