import type { BusParts } from '../bus-parts.js';
import type { EventHandler } from '../delivery/event-handler.js';
import { Listener } from '../delivery/listener.js';
import type { EventTypes } from '../events/event-types.js';
import type { SubscribeCallOptions } from '../options/pubsub-options.js';
import type { ResolvedListenerOptions } from '../options/resolved-options.js';
import { resolveSubscription } from '../options/resolve-subscription.js';
import type { Ways } from '../publishing/ways.js';
import { GroupIntake } from './group-intake.js';
import type { Intake } from './intake.js';
import { ListenerIntake } from './listener-intake.js';
import { subjectOf, type SubjectLike } from './subject.js';

/** What somebody wants to handle, and how. */
export interface Wish {
  /** For messages, whose options they are: `@Subscribe on Ranking.count`. */
  readonly what: string;
  readonly subject: SubjectLike;
  readonly handler: EventHandler<never>;
  readonly options: SubscribeCallOptions & { readonly name: string };
}

/** Makes of a wish what fulfils it. */
export class Intakes {
  readonly #parts: BusParts;
  readonly #ways: Ways;
  readonly #types: EventTypes;

  constructor(parts: BusParts, ways: Ways, types: EventTypes) {
    this.#parts = parts;
    this.#ways = ways;
    this.#types = types;
  }

  /** @throws PubSubConfigurationError with every problem that was found */
  of({ what, subject: given, handler, options }: Wish): Intake {
    const subject = subjectOf(this.#types, given);
    const { options: root, events } = this.#parts;
    const delivery = 'pattern' in subject ? undefined : subject.delivery;
    const resolved = resolveSubscription(what, delivery, options, root.defaults);
    const handle = handler as EventHandler;
    if (resolved.kind === 'group' && 'topic' in subject)
      return new GroupIntake({
        parts: this.#parts,
        ways: this.#ways,
        type: subject,
        handler: handle,
        options: resolved.options,
      });
    const listening = resolved.options as ResolvedListenerOptions;
    const listener = new Listener(subject, handle, listening, delivery ?? 'broadcast', events);
    return new ListenerIntake(listening.name, listener, this.#ways);
  }
}
