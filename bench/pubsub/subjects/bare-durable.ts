import type { View } from '../view.js';
import { connect } from './connection.js';
import { group, topic, type Subject } from './subject.js';

type Reply = [stream: string, entries: [id: string, fields: string[]][]][] | null;

/** XADD to one stream; XREADGROUP, and XACK of the batch, on a connection of their own. */
export const bareDurable: Subject = {
  title: 'bare ioredis, auto-pipelined',
  openPublisher: async ({ url, namespace }) => {
    const redis = await connect(url, 'auto-pipelined');
    const stream = `${namespace}:${topic}`;
    return {
      publish: (view) => redis.xadd(stream, '*', 'e', JSON.stringify(view)),
      close: () => redis.quit(),
    };
  },
  subscribe: async ({ url, namespace }, [handle]) => {
    const redis = await connect(url, 'auto-pipelined');
    const stream = `${namespace}:${topic}`;
    await redis.xgroup('CREATE', stream, group, '0', 'MKSTREAM').catch(ignoreThatItExists);
    const ended = new AbortController();
    const read = async (): Promise<void> => {
      while (!ended.signal.aborted) {
        const reply = (await redis.xreadgroup(
          ...(['GROUP', group, 'one', 'COUNT', 200, 'BLOCK', 100, 'STREAMS', stream, '>'] as const),
        )) as Reply;
        const entries = reply?.[0]?.[1] ?? [];
        for (const [, fields] of entries) handle!(JSON.parse(fields[1]!) as View);
        if (entries.length > 0) await redis.xack(stream, group, ...entries.map(([id]) => id));
      }
    };
    const reading = read();
    return {
      end: async () => {
        ended.abort();
        await reading;
        await redis.quit();
      },
    };
  },
};

function ignoreThatItExists(error: Error): void {
  if (!error.message.startsWith('BUSYGROUP')) throw error;
}
