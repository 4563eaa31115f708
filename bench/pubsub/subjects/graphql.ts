import { loadPeer } from '../../support/peers.js';
import { connectionOf } from './connection.js';
import { topic, type Handle, type Place, type Subject } from './subject.js';

interface RedisPubSub {
  publish(trigger: string, payload: object): Promise<void>;
  subscribe(trigger: string, onMessage: Handle): Promise<number>;
  close(): Promise<unknown>;
}

type RedisPubSubClass = new (options: object) => RedisPubSub;

export const graphql: Subject = {
  title: 'graphql-redis-subscriptions',
  openPublisher: async (place) => {
    const pubsub = await open(place);
    const trigger = `${place.namespace}:${topic}`;
    return {
      publish: (view) => pubsub.publish(trigger, view),
      close: () => pubsub.close(),
    };
  },
  subscribe: async (place, handlers) => {
    const pubsub = await open(place);
    for (const handle of handlers) await pubsub.subscribe(`${place.namespace}:${topic}`, handle);
    return { end: () => pubsub.close() };
  },
};

async function open({ url }: Place): Promise<RedisPubSub> {
  const { RedisPubSub: constructor } = await loadPeer<{ RedisPubSub: RedisPubSubClass }>(
    'graphql-redis-subscriptions',
  );
  return new constructor({ connection: connectionOf(url) });
}
