import { Linked } from '../../../timing/linked-list.js';
import type { EventContext } from '../../delivery/event-context.js';
import type { Envelope, UnreadableEvent } from '../../events/envelope.js';
import type { Partition } from './partition.js';

/** An entry of a stream that was delivered to this consumer, until it is acknowledged. */
export class Entry extends Linked<Entry> {
  /** What it says; undefined where it waits for so long that it is read again in its turn. */
  envelope: Envelope | undefined;
  /** Why it can be given to no handler. */
  unreadable: UnreadableEvent | undefined;
  /** Entries of the same lane are handled one after the other. */
  lane: string | undefined;
  /** Which attempt is the next, or runs. */
  attempt = 1;
  /** Whether Redis knows of its attempts. One that may have ended a process is noted before it is handled. */
  isNoted = false;
  /** Whether nothing else is handled meanwhile: it may be what ended its process, and must not take others with it. */
  isAlone = false;
  /** Whether it was put back for another group. */
  isForOthers = false;
  /** Whether its id is kept, so that none with the same is handled: the next of its lane waits until Redis has it. */
  isOnce = false;
  /** Whether the next of its lane has had its turn. */
  hasPassed = false;
  /** Whether its handler has committed it, or learned that it was handled before. */
  isCommitted = false;
  /** While it is handled. */
  context: EventContext | undefined;
  /** Until the next attempt. */
  timer: NodeJS.Timeout | undefined;

  /** @param size of what was read, in bytes, roughly */
  constructor(
    readonly partition: Partition,
    readonly id: string,
    public size: number,
  ) {
    super();
  }
}
