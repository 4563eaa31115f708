import type { EventBus } from 'rednest';
import { eventually } from './eventually.js';

/** A handler that takes an event and does not end: the event is pending in its group. */
export interface UnendingHandler {
  /** Publishes an event, and resolves when it is being handled. */
  publish(): Promise<void>;
  /** Lets it end. */
  finish(): void;
}

export async function subscribeUnending(
  bus: EventBus,
  topic: string,
  group: string,
): Promise<UnendingHandler> {
  let finish: () => void = () => undefined;
  const finished = new Promise<void>((resolve) => (finish = resolve));
  let isHandling = false;
  const handle = () => {
    isHandling = true;
    return finished;
  };
  await bus.subscribe(topic, handle, { group });
  return {
    async publish() {
      await bus.publish(topic, {});
      await eventually(() => isHandling);
    },
    finish,
  };
}
