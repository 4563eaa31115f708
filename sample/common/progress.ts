import { SingleBar } from 'cli-progress';

/** Shows how far something is. */
export interface Progress {
  advance(done: number): void;
  stop(): void;
}

/**
 * A bar on a terminal; elsewhere, where a bar would fill the log with its frames, a line for each quarter.
 *
 * @param title what is done: `Importing cities`
 * @param write takes a line
 */
export function showProgress(title: string, total: number, write: (line: string) => void): Progress {
  return process.stdout.isTTY ? progressBar(title, total) : progressLines(title, total, write);
}

function progressBar(title: string, total: number): Progress {
  const bar = new SingleBar({
    format: `${title} {bar} {percentage} % | {value} of {total} | {eta} s left`,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    hideCursor: true,
    stream: process.stdout,
  });
  bar.start(total, 0);
  return { advance: (done) => bar.update(done), stop: () => bar.stop() };
}

function progressLines(title: string, total: number, write: (line: string) => void): Progress {
  let quarters = 0;
  return {
    advance(done) {
      const reached = Math.floor((done / Math.max(total, 1)) * 4);
      if (reached === quarters) return;
      quarters = reached;
      write(`${title}: ${reached * 25} % (${done} of ${total})`);
    },
    stop() {},
  };
}
