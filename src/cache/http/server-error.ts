/** Whether an error says that the server failed: what is no answer to the request, such as 404, and is to be sent. */
export function isServerError(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return true;
  const asked =
    'getStatus' in error && typeof error.getStatus === 'function'
      ? (error.getStatus() as unknown)
      : undefined;
  const status = asked ?? ('statusCode' in error ? error.statusCode : undefined);
  return typeof status !== 'number' || status >= 500;
}
