import { showValue } from '../../redis/shared.js';
import type { Factory, ManyFactory } from '../options/cache-options.js';

interface Wanted {
  readonly key: string;
  readonly settle: (values: Promise<ReadonlyMap<string, unknown>>) => void;
}

/**
 * Makes one call of a {@link ManyFactory} of the single calls of one turn of the event loop: of the keys that this process has just been
 * given leases for. (The idea is that of DataLoader.)
 */
export class GatheringFactory {
  readonly #factory: ManyFactory<unknown>;
  #wanted: Wanted[] = [];

  constructor(factory: ManyFactory<unknown>) {
    this.#factory = factory;
  }

  /** The factory of a single key. A key that the many do not give has no value, and nothing is stored. */
  readonly one: Factory<unknown> = async (context) => {
    const values = await new Promise<ReadonlyMap<string, unknown>>((resolve) => {
      if (this.#wanted.length === 0) setImmediate(() => this.#run(context.signal));
      this.#wanted.push({ key: context.key, settle: resolve });
    });
    if (!values.has(context.key)) context.skip();
    return values.get(context.key);
  };

  #run(signal: AbortSignal): void {
    const wanted = this.#wanted;
    this.#wanted = [];
    const keys = wanted.map(({ key }) => key);
    const values = Promise.resolve()
      .then(() => this.#factory(keys, { signal }))
      .then(checkMap);
    for (const { settle } of wanted) settle(values);
  }
}

/** @throws TypeError for what is no Map, such as an object with the values */
function checkMap(values: unknown): ReadonlyMap<string, unknown> {
  if (values instanceof Map) return values;
  throw new TypeError(
    `The factory of many values gave ${showValue(values)}, which is not a Map of them by their keys`,
  );
}
