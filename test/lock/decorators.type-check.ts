/**
 * What the decorator's types must refuse, checked by `tsc --noEmit`: where one of these lines compiled, its `@ts-expect-error` would
 * not. Nothing of it runs.
 */
import { Locked, type LockedOptions } from 'rednest';

interface Tour {
  id: number;
  name: string;
}

const tour: Tour = { id: 1, name: 'Old town' };

export class Accepted {
  @Locked({ key: (from, to) => [`account:${from.trim()}`, `account:${to.trim()}`], ttl: '10s', wait: '2s' })
  transfer(_from: string, _to: string, _amount: number): Promise<void> {
    return Promise.resolve();
  }

  @Locked({ key: (found: Tour) => `tour:${found.id}`, status: 409, renew: false, reentrant: true })
  book(_tour: Tour, _guest: string): Promise<number> {
    return Promise.resolve(1);
  }

  @Locked({ key: 'ranking' })
  async constant(): Promise<Tour[]> {
    return [tour];
  }

  @Locked({ key: ['a', 'b'] as const, wait: Infinity })
  async several(): Promise<Tour> {
    return tour;
  }

  @Locked({ key: 'ranking', onContention: 'skip', atLeastFor: '1m', atMostFor: '50m' })
  async skippedJob(): Promise<void> {}

  @Locked({ key: (id) => `tour:${id.toFixed()}`, onContention: 'skip' })
  async skipped(_id: number): Promise<Tour | undefined> {
    return tour;
  }

  @Locked({ key: 'a', onContention: 'skip' })
  async skippedUnknown(): Promise<unknown> {
    return tour;
  }

  @Locked({ key: (id) => `tour:${id.toFixed()}`, onContention: 'throw' })
  async thrown(_id: number): Promise<Tour> {
    return tour;
  }
}

export abstract class AcceptedGeneric<T extends { id: number }> {
  @Locked({ key: (item) => `item:${item.id.toFixed()}` })
  async save(item: T): Promise<T> {
    return this.store(item);
  }

  protected abstract store(item: T): Promise<T>;
}

export const options: LockedOptions<(id: number) => Promise<number>> = { key: (id) => id.toFixed() };

export class Refused {
  // @ts-expect-error: the parameter is a number
  @Locked({ key: (id: string) => id })
  wrongParameter(_id: number): Promise<Tour> {
    return Promise.resolve(tour);
  }

  // @ts-expect-error: the method has one parameter only
  @Locked({ key: (id: number, name: string) => `${id}${name}` })
  extraParameter(_id: number): Promise<Tour> {
    return Promise.resolve(tour);
  }

  // @ts-expect-error: a key is text
  @Locked({ key: (id) => id })
  wrongReturn(_id: number): Promise<Tour> {
    return Promise.resolve(tour);
  }

  // @ts-expect-error: a promise is no key
  @Locked({ key: async (id) => `tour:${id}` })
  asyncKey(_id: number): Promise<Tour> {
    return Promise.resolve(tour);
  }

  // @ts-expect-error: the parameter has no such property
  @Locked({ key: (found) => found.code })
  wrongProperty(_tour: Tour): Promise<Tour> {
    return Promise.resolve(tour);
  }

  // @ts-expect-error: a number is no key
  @Locked({ key: 1 })
  wrongConstant(): Promise<Tour> {
    return Promise.resolve(tour);
  }

  // @ts-expect-error: a duration has a unit
  @Locked({ key: 'a', ttl: '10 minutes' })
  wrongDuration(): Promise<Tour> {
    return Promise.resolve(tour);
  }

  // @ts-expect-error: no such option
  @Locked({ key: 'a', lease: '10m' })
  unknownOption(): Promise<Tour> {
    return Promise.resolve(tour);
  }

  // @ts-expect-error: a signal belongs to a call
  @Locked({ key: 'a', signal: AbortSignal.timeout(1) })
  signal(): Promise<Tour> {
    return Promise.resolve(tour);
  }

  // @ts-expect-error: a key is needed
  @Locked({ ttl: '10m' })
  withoutKey(): Promise<Tour> {
    return Promise.resolve(tour);
  }

  // @ts-expect-error: a call that is skipped gives undefined
  @Locked({ key: 'a', onContention: 'skip' })
  skippedNumber(): Promise<number> {
    return Promise.resolve(1);
  }

  // @ts-expect-error: a call that is skipped gives undefined, not null
  @Locked({ key: (id) => `tour:${id}`, onContention: 'skip' })
  skippedNull(_id: number): Promise<Tour | null> {
    return Promise.resolve(null);
  }

  // @ts-expect-error: a call that is skipped is answered as one that succeeds
  @Locked({ key: 'a', onContention: 'skip', status: 409 })
  skippedStatus(): Promise<void> {
    return Promise.resolve();
  }

  // @ts-expect-error: not a way
  @Locked({ key: 'a', onContention: 'ignore' })
  wrongContention(): Promise<void> {
    return Promise.resolve();
  }

  // @ts-expect-error: not a status of a locked resource
  @Locked({ key: 'a', status: 500 })
  wrongStatus(): Promise<void> {
    return Promise.resolve();
  }

  // @ts-expect-error: not a promise
  @Locked({ key: (id: number) => `${id}` })
  sync(_id: number): Tour {
    return tour;
  }

  // @ts-expect-error: a getter
  @Locked({ key: 'a' })
  get getter(): Promise<Tour> {
    return Promise.resolve(tour);
  }

  // @ts-expect-error: a property
  @Locked({ key: 'a' })
  property = async (): Promise<Tour> => tour;
}
