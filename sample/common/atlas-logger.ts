import { ConsoleLogger, type LogLevel } from '@nestjs/common';
import { writeAboveProgress } from './progress.js';

/** Nest's own, which leaves a progress bar whole, and does not tell of what keeps Atlas from starting: that is thrown too, and told once. */
export class AtlasLogger extends ConsoleLogger {
  override error(message: unknown, ...details: string[]): void {
    if (details.at(-1) !== 'ExceptionHandler') super.error(message, ...details);
  }

  protected override printMessages(
    messages: unknown[],
    context?: string,
    level?: LogLevel,
    ...details: ['stdout' | 'stderr' | undefined, unknown, Record<string, unknown> | undefined]
  ): void {
    writeAboveProgress(() => super.printMessages(messages, context, level, ...details));
  }

  protected override printStackTrace(stack: string): void {
    writeAboveProgress(() => super.printStackTrace(stack));
  }
}
