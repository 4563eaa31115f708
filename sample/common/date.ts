/** Milliseconds. */
export const DAY = 24 * 60 * 60 * 1_000;

/** The day of a moment, in UTC: `2026-11-30`. Days in this form have the order of texts. */
export function dateOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}
