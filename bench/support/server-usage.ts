import type { Redis } from 'ioredis';

/** What the server has used since it began. */
export interface ServerUsage {
  /** Processor time of its main thread, in microseconds. */
  readonly processor: number;
  /** Scripts that clients have run. */
  readonly scripts: number;
}

export async function serverUsage(redis: Redis): Promise<ServerUsage> {
  const [processor, commands] = await Promise.all([redis.info('cpu'), redis.info('commandstats')]);
  const seconds = (name: string) =>
    numberAfter(processor, `used_cpu_${name}_main_thread`) ?? numberAfter(processor, `used_cpu_${name}`) ?? 0;
  const calls = (name: string) => numberAfter(commands, `cmdstat_${name}:calls`) ?? 0;
  return {
    processor: (seconds('user') + seconds('sys')) * 1_000_000,
    scripts: calls('evalsha') + calls('eval'),
  };
}

function numberAfter(info: string, name: string): number | undefined {
  const found = new RegExp(`^${name}[:=]([\\d.]+)`, 'm').exec(info);
  return found ? Number(found[1]) : undefined;
}
