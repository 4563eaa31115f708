import { isUtf8 } from 'node:buffer';

/** A key as it is reported: as text from which its bytes can be told, and as bytes where they are no UTF-8. */
export function reportedKey(bytes: Buffer): { readonly key: string; readonly raw?: Buffer } {
  if (isUtf8(bytes)) return { key: bytes.toString() };
  return { key: bytes.toString('latin1').replaceAll(/[^ -[\]-~]/g, escaped), raw: bytes };
}

function escaped(character: string): string {
  return character === '\\' ? '\\\\' : `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
}
