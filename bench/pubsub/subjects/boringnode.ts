import { loadPeer } from '../../support/peers.js';
import { connectionOf } from './connection.js';
import { topic, type Handle, type Place, type Subject } from './subject.js';

interface Bus {
  publish(channel: string, message: object): Promise<boolean>;
  subscribe(channel: string, handler: Handle): Promise<void>;
  disconnect(): Promise<void>;
}

type BusClass = new (transport: unknown) => Bus;
interface Transports {
  readonly redis: (connection: object) => () => unknown;
}

export const boringnode: Subject = {
  title: '@boringnode/bus',
  openPublisher: async (place) => {
    const bus = await open(place);
    const channel = `${place.namespace}:${topic}`;
    return {
      publish: (view) => bus.publish(channel, view),
      close: () => bus.disconnect(),
    };
  },
  subscribe: async (place, handlers) => {
    const bus = await open(place);
    for (const handle of handlers) await bus.subscribe(`${place.namespace}:${topic}`, handle);
    return { end: () => bus.disconnect() };
  },
};

async function open({ url }: Place): Promise<Bus> {
  const { Bus: constructor } = await loadPeer<{ Bus: BusClass }>('@boringnode/bus');
  const { redis } = await loadPeer<Transports>('@boringnode/bus/transports/redis');
  return new constructor(redis(connectionOf(url))());
}
