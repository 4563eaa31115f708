import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { AtlasLogger } from './atlas-logger.js';
import { showProgress, type Progress } from './progress.js';

const ESCAPE = '\u001B';

/** Commands to a terminal, ends of lines, and text between them. */
const PARTS = new RegExp(`${ESCAPE}(?:7|8|\\[[?\\d;]*[a-zA-Z])|\n|[^${ESCAPE}\n]+`, 'g');

/** What is seen of what was written, line by line, on a terminal without end. */
class Screen {
  readonly lines = [''];
  #row = 0;
  #column = 0;
  #saved: readonly [row: number, column: number] = [0, 0];

  write(text: string): void {
    for (const [part] of text.matchAll(PARTS)) this.#take(part);
  }

  #take(part: string): void {
    const line = this.lines[this.#row]!;
    if (part === '\n') {
      this.#column = 0;
      if (++this.#row === this.lines.length) this.lines.push('');
    } else if (part === `${ESCAPE}7`) this.#saved = [this.#row, this.#column];
    else if (part === `${ESCAPE}8`) [this.#row, this.#column] = this.#saved;
    else if (part === `${ESCAPE}[1G`) this.#column = 0;
    else if (part === `${ESCAPE}[2K`) this.lines[this.#row] = '';
    else if (part === `${ESCAPE}[0K`) this.lines[this.#row] = line.slice(0, this.#column);
    else if (!part.startsWith(ESCAPE)) {
      const after = line.slice(this.#column + part.length);
      this.lines[this.#row] = line.slice(0, this.#column).padEnd(this.#column) + part + after;
      this.#column += part.length;
    }
  }
}

describe('a progress bar', () => {
  const terminal = process.stdout.isTTY;
  let screen: Screen;
  let progress: Progress;

  beforeEach(() => {
    screen = new Screen();
    process.stdout.isTTY = true;
    for (const stream of [process.stdout, process.stderr])
      jest.spyOn(stream, 'write').mockImplementation((text) => {
        screen.write(String(text));
        return true;
      });
    progress = showProgress('Counting', 4, () => undefined);
  });

  afterEach(() => {
    progress.stop();
    jest.restoreAllMocks();
    process.stdout.isTTY = terminal;
  });

  it('stays the last line, and whole, when something is logged meanwhile', () => {
    const logger = new AtlasLogger({ colors: false });
    progress.advance(1);
    logger.warn('the first', 'Test');
    progress.advance(2);
    logger.error('the second', 'at a place in the code', 'Test');
    progress.advance(4);
    progress.stop();
    screen.write('All is done\n');
    expect(screen.lines).toEqual([
      expect.stringMatching(/^\[Nest\] .* WARN \[Test\] the first$/),
      expect.stringMatching(/^\[Nest\] .* ERROR \[Test\] the second$/),
      'at a place in the code',
      expect.stringMatching(/^Counting █+ 100 % \| 4 of 4 \| 0 s left$/),
      'All is done',
      '',
    ]);
  });

  it('is not in the way of what is logged afterwards', () => {
    progress.stop();
    new AtlasLogger({ colors: false }).log('the first', 'Test');
    expect(screen.lines.slice(1)).toEqual([expect.stringMatching(/LOG \[Test\] the first$/), '']);
  });
});
