/**
 * What may be believed of the entries that one master holds. The coherence writes it, and the local tier looks at it on every hit: an
 * entry is coherent only while the epoch in which it was read is still the shard's.
 */
export class Shard {
  /** Changes whenever changes may have been missed: a listener was lost, armed, or the slots have moved. */
  epoch = 1;
  /** Whether changes are being told of. */
  armed = false;

  /** @param node address of the master, or '' where there is only one */
  constructor(readonly node: string) {}
}

/** The epoch of what is read while no changes are told of: no shard is ever in it. */
export const NO_EPOCH = 0;
