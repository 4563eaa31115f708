const LABEL = Buffer.from('rednest/enc/1');

/** What rednest authenticates beside the ciphertext, by hand: the same bytes. Its first part is made once for all keys. */
export function associatedDataFor(
  header: Buffer,
  namespace: string,
  context: string,
): (key: string) => Buffer {
  const front = Buffer.concat([LABEL, header, withLength(namespace)]);
  const back = Buffer.concat([withLength(''), withLength(context)]);
  return (key) => {
    const length = Buffer.byteLength(key);
    const data = Buffer.allocUnsafe(front.length + 4 + length + back.length);
    let at = front.copy(data);
    at = data.writeUInt32BE(length, at);
    at += data.write(key, at);
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
