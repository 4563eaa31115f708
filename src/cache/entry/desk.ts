/** Where bytes are read that came from the socket: to copy them here costs less than the views of them that reading and decoding would make. */
export interface Desk {
  readonly bytes: Buffer;
  readonly view: DataView;
}

/** @param size in bytes */
export function deskOf(size: number): Desk {
  const bytes = Buffer.allocUnsafeSlow(size);
  const view = new DataView(bytes.buffer);
  // Where msgpackr looks for one before it makes one of its own.
  return { bytes: Object.assign(bytes, { dataView: view }), view };
}
