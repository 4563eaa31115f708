import { isUtf8 } from 'node:buffer';

/** A key as it is reported: as text from which its bytes can be told, and as bytes where they are no UTF-8. */
export function reportedKey(bytes: Buffer): { readonly key: string; readonly raw?: Buffer } {
  if (isUtf8(bytes)) return { key: bytes.toString() };
  return { key: bytes.toString('latin1').replaceAll(/[^ -[\]-~]/g, escaped), raw: bytes };
}

/** A key as an argument: as text where that is the same, since the driver writes a command with bytes in it by a call of the system of its own. */
export function keyArgument(bytes: Buffer): string | Buffer {
  return isUtf8(bytes) ? bytes.toString() : bytes;
}

function escaped(character: string): string {
  return character === '\\' ? '\\\\' : `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
}
