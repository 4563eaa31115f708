import type { View } from '../view.js';

/** Buses as the cases use them: rednest, its peers and bare commands alike. Who publishes and who handles are different processes. */
export interface Subject {
  readonly title: string;
  openPublisher(place: Place): Promise<Publisher>;
  /** Resolves when what is published from now on reaches the handlers. */
  subscribe(place: Place, handlers: readonly Handle[]): Promise<Subscription>;
}

export interface Publisher {
  /** Resolves when Redis has it. */
  publish(view: View): Promise<unknown>;
  close(): Promise<unknown>;
}

export interface Subscription {
  /** Closes its connections, too. */
  end(): Promise<unknown>;
}

export type Handle = (view: View) => void;

/** How a subject is set up. */
export interface Place {
  readonly url: string;
  /** First part of its keys and channels. */
  readonly namespace: string;
}

export const topic = 'city.viewed';

/** Of those who handle durable events. */
export const group = 'ranking';
