import { orRedisError } from '../../redis/shared.js';
import { EventBusClosedError } from '../pubsub-errors.js';
import { PubSubConfigurationError } from '../options/pubsub-configuration-error.js';
import type { Intake } from './intake.js';
import { Subscription } from './subscription.js';

interface Entry {
  closing?: Promise<void>;
  /** Ends the waiting of who starts it. */
  abandon?: () => void;
  readonly onClosing: (() => void) | undefined;
}

/** The subscriptions of a process, until they are closed. */
export class Subscriptions {
  readonly #shutdownTimeout: number;
  readonly #intakes = new Map<Intake, Entry>();
  readonly #groups = new Map<string, Intake>();
  #isClosed = false;

  /** @param shutdownTimeout milliseconds */
  constructor(shutdownTimeout: number) {
    this.#shutdownTimeout = shutdownTimeout;
  }

  /**
   * Takes an intake in, which nobody has started yet.
   *
   * @param subject whose options they are
   * @param onClosing called once, when it is closed
   * @throws PubSubConfigurationError where another has its topic and group; EventBusClosedError
   */
  add(subject: string, intake: Intake, onClosing?: () => void): void {
    if (this.#isClosed) throw new EventBusClosedError(subject);
    const key = groupKey(intake);
    const other = key !== undefined && this.#groups.get(key);
    if (other) throw sameGroupError(subject, intake, other);
    if (key !== undefined) this.#groups.set(key, intake);
    this.#intakes.set(intake, { onClosing });
  }

  /**
   * Starts an intake that was added.
   *
   * @throws RedisError, and then it is no longer here; EventBusClosedError where it was closed meanwhile
   */
  async open(intake: Intake): Promise<Subscription> {
    try {
      await this.start(intake);
    } catch (error) {
      // Who closes it waits for its end.
      if (this.#has(intake)) await this.close(intake, performance.now());
      throw error;
    }
    return new Subscription(intake, () => this.close(intake));
  }

  /** As {@link open}; where it fails, it may be started again. */
  async start(intake: Intake): Promise<void> {
    const entry = this.#intakes.get(intake);
    if (!entry || entry.closing) throw closedError(intake);
    await new Promise<void>((resolve, reject) => {
      entry.abandon = () => reject(closedError(intake));
      this.#start(intake).then(resolve, reject);
    });
  }

  /** Stops an intake, once. Never rejects. */
  close(intake: Intake, deadline = performance.now() + this.#shutdownTimeout): Promise<void> {
    const entry = this.#intakes.get(intake);
    if (!entry) return Promise.resolve();
    if (entry.closing) return entry.closing;
    entry.onClosing?.();
    entry.abandon?.();
    return (entry.closing = this.#stop(intake, deadline));
  }

  /** Stops all, side by side. Nothing is subscribed to any more. Never rejects. */
  async closeAll(): Promise<void> {
    this.#isClosed = true;
    const deadline = performance.now() + this.#shutdownTimeout;
    await Promise.all(Array.from(this.#intakes.keys(), (intake) => this.close(intake, deadline)));
  }

  /** Not closed, and not about to be. */
  #has(intake: Intake): boolean {
    const entry = this.#intakes.get(intake);
    return entry !== undefined && !entry.closing;
  }

  async #start(intake: Intake): Promise<void> {
    await orRedisError(intake.start());
    // It was closed before there was all that is to be stopped.
    if (!this.#has(intake)) await intake.stop(performance.now());
  }

  async #stop(intake: Intake, deadline: number): Promise<void> {
    try {
      await intake.stop(deadline);
    } finally {
      this.#intakes.delete(intake);
      const key = groupKey(intake);
      if (key !== undefined) this.#groups.delete(key);
    }
  }
}

function groupKey({ topic, group }: Intake): string | undefined {
  return group === undefined ? undefined : JSON.stringify([topic, group]);
}

function sameGroupError(subject: string, { topic, group }: Intake, other: Intake): PubSubConfigurationError {
  const message = `'${group}' has a handler of '${topic}' in this process already (${other.name}): each event would go to one of the two`;
  return new PubSubConfigurationError(subject, [{ option: 'group', message }]);
}

function closedError({ name, topic }: Intake): EventBusClosedError {
  return new EventBusClosedError(`${name} on '${topic}'`);
}
