import { clearLine, cursorTo } from 'node:readline';
import { SingleBar } from 'cli-progress';

/** Shows how far something is. */
export interface Progress {
  advance(done: number): void;
  stop(): void;
}

/** Has a terminal remember where its cursor is. */
const SAVE_CURSOR = '\u001B7';

/** Bars that are not stopped: on the one terminal that there is. */
const bars = new Set<SingleBar>();

/** Writes lines where a bar may be: they come to stand above it. */
export function writeAboveProgress(write: () => void): void {
  if (bars.size === 0) return write();
  clearLine(process.stdout, 0);
  cursorTo(process.stdout, 0);
  write();
  // When the bar stops, it goes to where it was begun. It is drawn again with its next frame, in a tenth of a second.
  process.stdout.write(SAVE_CURSOR);
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
    // Its line may have been cleared since the last frame.
    forceRedraw: true,
    stream: process.stdout,
  });
  bar.start(total, 0);
  bars.add(bar);
  return {
    advance: (done) => bar.update(done),
    stop() {
      bar.stop();
      bars.delete(bar);
    },
  };
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
