import type { LoggerService } from '@nestjs/common';

interface LogLine {
  level: 'log' | 'error' | 'warn' | 'debug' | 'verbose' | 'fatal';
  text: string;
  context: string | undefined;
}

/** A Nest logger that keeps what it is told. */
export class LogRecorder implements LoggerService {
  readonly lines: LogLine[] = [];
  readonly log = this.#recorder('log');
  readonly error = this.#recorder('error');
  readonly warn = this.#recorder('warn');
  readonly debug = this.#recorder('debug');
  readonly verbose = this.#recorder('verbose');
  readonly fatal = this.#recorder('fatal');

  /** The texts of one context, by default rednest's connections, without those of debug level. */
  texts(context = 'RedisModule'): string[] {
    return this.lines
      .filter((line) => line.context === context && line.level !== 'debug')
      .map(({ text }) => text);
  }

  #recorder(level: LogLine['level']) {
    return (message: unknown, ...rest: unknown[]) => {
      const context = rest.at(-1);
      this.lines.push({
        level,
        text: String(message),
        context: typeof context === 'string' ? context : undefined,
      });
    };
  }
}
