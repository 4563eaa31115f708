/** What express-session and its like are told with. */
export type Callback<T = void> = (error: unknown, value?: T) => unknown;

/** Calls it. What it throws, or rejects with, is the application's: it goes to `onFailure`, and ends no process. */
export function callBack<T>(
  callback: Callback<T>,
  outcome: Parameters<Callback<T>>,
  onFailure: (error: unknown) => void,
): void {
  try {
    Promise.resolve(callback(...outcome)).catch(onFailure);
  } catch (error) {
    onFailure(error);
  }
}
