/** Where the benchmark's server is; it is named by the command that starts it. */
export function redisUrl(): string {
  const url = process.env['REDIS_URL'];
  if (!url) throw new Error('REDIS_URL is not set: run this with npm run bench');
  return url;
}
