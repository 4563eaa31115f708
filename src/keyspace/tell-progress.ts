/** Tells of progress. What the application's callback throws must not leave the work half done: it goes to `onFailure`. */
export function tellProgress<Progress>(
  { onProgress }: { readonly onProgress: ((progress: Progress) => void) | undefined },
  progress: Progress,
  onFailure: (error: unknown) => void,
): void {
  try {
    // The types let a function be given that returns a promise: its rejection must not be one that nobody handles.
    Promise.resolve(onProgress?.(progress)).catch(onFailure);
  } catch (error) {
    onFailure(error);
  }
}

/** For `Settings.converted`. */
export function asFunction(value: unknown): object | undefined {
  return typeof value === 'function' ? value : undefined;
}
