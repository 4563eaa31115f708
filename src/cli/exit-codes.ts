/** How the command ends. */
export const EXIT = {
  /** All is well. */
  done: 0,
  /** A problem was found (`doctor --strict`: or a warning), or not all was done. */
  failed: 1,
  /** Arguments or environment variables are wrong. Nothing was asked of Redis. */
  wrongCall: 2,
  /** Redis cannot be reached, or does not let this user in. */
  notConnected: 3,
  /** As shells say that Ctrl-C has ended it. What was found until then was printed. */
  stopped: 130,
} as const;
