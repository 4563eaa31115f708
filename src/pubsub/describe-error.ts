/** Of an error: `name: message`; of anything else that was thrown: its text. Never throws, whatever it is. */
export function describeError(error: unknown): string {
  return textOf(error, ({ name, message }) => `${name}: ${message}`);
}

/** As {@link describeError}, without the error's name. */
export function messageOf(error: unknown): string {
  return textOf(error, ({ message }) => message);
}

/** As {@link describeError}, with the stack: for the log. */
export function traceOf(error: unknown): string {
  return textOf(error, ({ stack, message }) => stack ?? message);
}

/** Objects without a prototype have no text, and getters and proxies may throw. */
function textOf(error: unknown, ofError: (error: Error) => string): string {
  try {
    return String(error instanceof Error ? ofError(error) : error);
  } catch {
    return 'what was thrown cannot be shown';
  }
}
