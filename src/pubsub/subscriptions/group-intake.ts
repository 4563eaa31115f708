import type { BusParts } from '../bus-parts.js';
import type { EventHandler } from '../delivery/event-handler.js';
import { GroupConsumer } from '../durable/group-consumer.js';
import type { EventType } from '../events/event-type.js';
import type { ResolvedGroupOptions } from '../options/resolved-options.js';
import type { Ways } from '../publishing/ways.js';
import type { Intake } from './intake.js';

interface GroupIntakeParts {
  readonly parts: BusParts;
  readonly ways: Pick<Ways, 'trimmer'>;
  readonly type: EventType;
  readonly handler: EventHandler;
  readonly options: ResolvedGroupOptions;
}

/** Events of which each is handled by one replica of a group. */
export class GroupIntake implements Intake {
  readonly name: string;
  readonly topic: string;
  readonly group: string;
  readonly #parts: GroupIntakeParts;
  #consumer: GroupConsumer | undefined;

  constructor(parts: GroupIntakeParts) {
    this.name = parts.options.name;
    this.topic = parts.type.topic;
    this.group = parts.options.group;
    this.#parts = parts;
  }

  async start(): Promise<void> {
    const { parts, ways, type, handler, options } = this.#parts;
    const handle: EventHandler = (event, context) => {
      // What is handled may go, some seconds later.
      ways.trimmer.note(type);
      return handler(event, context);
    };
    const consumer = new GroupConsumer(parts, type, handle, options);
    this.#consumer = consumer;
    try {
      await consumer.start();
    } catch (error) {
      this.#consumer = undefined;
      await consumer.stop(performance.now()).catch(() => undefined);
      throw error;
    }
  }

  async stop(deadline: number): Promise<void> {
    await this.#consumer?.stop(deadline).catch(() => undefined);
  }
}
