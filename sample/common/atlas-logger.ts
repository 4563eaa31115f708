import { ConsoleLogger } from '@nestjs/common';
import { writeAboveProgress } from './progress.js';

/** Nest's own, which leaves a progress bar whole, and does not tell of what keeps Atlas from starting: that is thrown too, and told once. */
export class AtlasLogger extends ConsoleLogger {
  override error(message: unknown, ...details: string[]): void {
    if (details.at(-1) !== 'ExceptionHandler') super.error(message, ...details);
  }

  // How many arguments there are is up to the version of Nest.
  protected override printMessages(...given: never[]): void {
    // oxlint-disable-next-line typescript/unbound-method -- is called with this object
    writeAboveProgress(() => void Reflect.apply(super.printMessages, this, given));
  }

  protected override printStackTrace(stack: string): void {
    writeAboveProgress(() => super.printStackTrace(stack));
  }
}
