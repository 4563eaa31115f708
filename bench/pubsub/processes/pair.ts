import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { SubjectName } from '../subjects/index.js';
import type { Place } from '../subjects/subject.js';
import type { Answer, ConsumerOrder, Published, PublisherOrder, Received, Since } from './protocol.js';

/** Two processes of a subject: one publishes, the other one handles. They are its own, so that no other has taught their compilers. */
export class Pair {
  readonly #publisher: ChildProcess;
  readonly #consumer: ChildProcess;

  private constructor() {
    this.#publisher = fork(new URL('./publisher.js', import.meta.url));
    this.#consumer = fork(new URL('./consumer.js', import.meta.url));
  }

  static async open(subject: SubjectName, place: Place, handlers: number): Promise<Pair> {
    const pair = new Pair();
    await Promise.all([
      pair.#tell(pair.#publisher, { kind: 'open', subject, place }),
      pair.#tell(pair.#consumer, { kind: 'open', subject, place, handlers }),
    ]);
    return pair;
  }

  async subscribe(): Promise<void> {
    await this.#tell(this.#consumer, { kind: 'subscribe' });
  }

  async end(): Promise<void> {
    await this.#tell(this.#consumer, { kind: 'end' });
  }

  /** What it resolves with resolves when that is received: whoever publishes must not be earlier. */
  async expect(messages: number, since: Since): Promise<{ readonly received: Promise<Received> }> {
    await this.#tell(this.#consumer, { kind: 'expect', messages, since });
    const received = answerOf(this.#consumer, 'received');
    received.catch(() => undefined);
    return { received };
  }

  async publish(messages: number, inFlight: number): Promise<Published> {
    return this.#publish({ kind: 'publish', messages, inFlight });
  }

  async drip(messages: number, pause: number): Promise<Published> {
    return this.#publish({ kind: 'drip', messages, pause });
  }

  async close(): Promise<void> {
    await Promise.all(
      [this.#publisher, this.#consumer].map(async (child) => {
        if (child.connected) child.disconnect();
        if (child.exitCode === null) await once(child, 'exit');
      }),
    );
  }

  async #publish(order: PublisherOrder): Promise<Published> {
    const published = answerOf(this.#publisher, 'published');
    this.#publisher.send(order);
    return published;
  }

  async #tell(child: ChildProcess, order: PublisherOrder | ConsumerOrder): Promise<void> {
    const done = answerOf(child, 'done');
    child.send(order);
    await done;
  }
}

/** Others may come before: what was received is told whenever it was. @throws where the process ends before */
function answerOf<Kind extends Answer['kind']>(
  child: ChildProcess,
  kind: Kind,
): Promise<Extract<Answer, { kind: Kind }>> {
  return new Promise((resolve, reject) => {
    const listen = (answer: Answer): void => {
      if (answer.kind !== kind) return;
      stop();
      resolve(answer as Extract<Answer, { kind: Kind }>);
    };
    const fail = (code: number | null): void => {
      stop();
      reject(new Error(`A process of the benchmark ended with code ${code}`));
    };
    const stop = (): void => {
      child.off('message', listen).off('exit', fail);
    };
    child.on('message', listen).on('exit', fail);
  });
}
