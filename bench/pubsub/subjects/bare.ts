import type { View } from '../view.js';
import { connect, type Driver } from './connection.js';
import { topic, type Subject } from './subject.js';

/** What one would write by hand: PUBLISH, and JSON.parse once for all handlers. */
export const bare = subjectOf('bare ioredis', 'plain');
export const barePipelined = subjectOf('bare ioredis, auto-pipelined', 'auto-pipelined');

function subjectOf(title: string, driver: Driver): Subject {
  return {
    title,
    openPublisher: async ({ url, namespace }) => {
      const redis = await connect(url, driver);
      const channel = `${namespace}:${topic}`;
      return {
        publish: (view) => redis.publish(channel, JSON.stringify(view)),
        close: () => redis.quit(),
      };
    },
    subscribe: async ({ url, namespace }, handlers) => {
      const redis = await connect(url, driver);
      redis.on('message', (_channel, message) => {
        const view = JSON.parse(message) as View;
        for (const handle of handlers) handle(view);
      });
      await redis.subscribe(`${namespace}:${topic}`);
      return { end: () => redis.quit() };
    },
  };
}
