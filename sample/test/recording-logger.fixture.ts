import { type LoggerService } from '@nestjs/common';

/** Keeps what is logged, for tests that read it. */
export class RecordingLogger implements LoggerService {
  readonly lines: string[] = [];

  /** The lines that contain a text, in their order. */
  with(text: string): string[] {
    return this.lines.filter((line) => line.includes(text));
  }

  log(message: unknown): void {
    this.lines.push(String(message));
  }

  warn(message: unknown): void {
    this.lines.push(String(message));
  }

  error(message: unknown): void {
    this.lines.push(String(message));
  }

  debug(message: unknown): void {
    this.lines.push(String(message));
  }
}
