const LABEL = Buffer.from('rednest/enc/1');
const NOTHING = withLength('');

/** Makes what is authenticated beside the ciphertext, by hand and with one allocation: the same bytes as rednest's. */
export type AssociatedData = (text: string) => Buffer;

/** For values that are bound to their keys. */
export function boundToKey(header: Buffer, namespace: string): AssociatedData {
  return around([LABEL, header, withLength(namespace)], [NOTHING, NOTHING]);
}

/** For messages that are bound to a context. */
export function boundToContext(header: Buffer, namespace: string): AssociatedData {
  return around([LABEL, header, withLength(namespace), NOTHING, NOTHING], []);
}

function around(before: readonly Buffer[], after: readonly Buffer[]): AssociatedData {
  const front = Buffer.concat(before);
  const back = Buffer.concat(after);
  return (text) => {
    const length = Buffer.byteLength(text);
    const data = Buffer.allocUnsafe(front.length + 4 + length + back.length);
    let at = front.copy(data);
    at = data.writeUInt32BE(length, at);
    at += data.write(text, at);
    back.copy(data, at);
    return data;
  };
}

function withLength(text: string): Buffer {
  const bytes = Buffer.from(text);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
