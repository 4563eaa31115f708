import { PassThrough } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { Progress } from './progress.js';
import { Terminal } from './terminal.js';

/** A stream that is a terminal, or is none. */
function stream(isTTY: boolean): PassThrough & { isTTY: boolean; columns: number } {
  return Object.assign(new PassThrough(), { isTTY, columns: 90 });
}

describe('Terminal', () => {
  const show = (isTTY: boolean, environment: NodeJS.ProcessEnv) => {
    const [results, errors] = [stream(isTTY), stream(isTTY)];
    const terminal = new Terminal(results, errors, environment);
    const progress = new Progress(terminal);
    progress.show({ title: 'Looking', done: 5, total: 10 });
    progress.stop();
    const text = terminal.style('red', 'wrong');
    return {
      text,
      bar: String(errors.read() ?? ''),
      results: results.read() as unknown,
      width: terminal.width,
    };
  };

  it('has colours, a width and a bar, and the bar where messages go', () => {
    const shown = show(true, {});
    expect(shown).toMatchObject({ text: '\u001B[31mwrong\u001B[39m', results: null, width: 90 });
    expect(shown.bar).toContain('Looking █');
  });

  it('has a width of its own where the terminal does not know how wide it is', () => {
    const unknown = Object.assign(stream(true), { columns: 0 });
    expect(new Terminal(unknown, stream(true), {}).width).toBeGreaterThanOrEqual(80);
  });

  it.each([
    ['with NO_COLOR', true, { NO_COLOR: '1' }],
    ['where it is no terminal', false, {}],
  ])('has neither colours nor a bar %s', (_what, isTTY, environment) => {
    expect(show(isTTY, environment)).toMatchObject({ text: 'wrong', bar: '', results: null });
  });

  it('tells code and message of an error in JSON, and nothing else of it', () => {
    const results = stream(false);
    const error = Object.assign(new Error('broken'), { code: 'REDIS_TLS', secret: 'hidden' });
    new Terminal(results, stream(false), {}).writeJson({ error });
    expect(JSON.parse(String(results.read()))).toEqual({ error: { code: 'REDIS_TLS', message: 'broken' } });
  });
});
