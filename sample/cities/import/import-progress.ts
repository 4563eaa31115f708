import type { Logger } from '@nestjs/common';
import { SingleBar } from 'cli-progress';

/** Shows how far something is. */
export interface ImportProgress {
  advance(done: number): void;
  stop(): void;
}

/** A bar on a terminal; elsewhere, where a bar would fill the log with its frames, a line for each quarter. */
export function showProgress(total: number, logger: Logger): ImportProgress {
  return process.stdout.isTTY ? progressBar(total) : progressLines(total, logger);
}

function progressBar(total: number): ImportProgress {
  const bar = new SingleBar({
    format: 'Importing cities {bar} {percentage} % | {value} of {total} | {eta} s left',
    barCompleteChar: '█',
    barIncompleteChar: '░',
    hideCursor: true,
    stream: process.stdout,
  });
  bar.start(total, 0);
  return { advance: (done) => bar.update(done), stop: () => bar.stop() };
}

function progressLines(total: number, logger: Logger): ImportProgress {
  let quarters = 0;
  return {
    advance(done) {
      const reached = Math.floor((done / total) * 4);
      if (reached === quarters) return;
      quarters = reached;
      logger.log(`Importing cities: ${reached * 25} % (${done} of ${total})`);
    },
    stop() {},
  };
}
