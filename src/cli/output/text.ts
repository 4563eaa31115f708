import bytes from 'bytes';
import ms from 'ms';

// oxlint-disable-next-line no-control-regex -- what a terminal would obey
const UNPRINTABLE = /[\u0000-\u001F\u007F-\u009F\u2028\u2029\u202A-\u202E\u2066-\u2069]/g;

/** Text that others have written, such as the name of a key, without what a terminal would obey. */
export function printable(text: string): string {
  return text.replaceAll(UNPRINTABLE, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

/** `1.5 MB`; 1 kB is 1,024 bytes, as Redis counts. */
export function sizeText(size: number): string {
  const text = bytes.format(Math.abs(size), { unitSeparator: ' ', decimalPlaces: 1 }) ?? String(size);
  return size < 0 ? `-${text}` : text;
}

/** `3 days`, `250 ms`. */
export function durationText(milliseconds: number): string {
  if (milliseconds < 1) return `${round(milliseconds)} ms`;
  if (milliseconds < 1_000) return `${round(milliseconds)} ms`;
  return ms(Math.round(milliseconds), { long: true });
}

/** Three digits are as many as anyone reads. */
export function round(value: number): string {
  return value.toLocaleString('en', { maximumSignificantDigits: 3 });
}

export function countText(count: number): string {
  return count.toLocaleString('en');
}

/** `1 key`, `2 keys`. */
export function counted(count: number, one: string, more = `${one}s`): string {
  return `${countText(count)} ${count === 1 ? one : more}`;
}

export function percent(ratio: number): string {
  return `${Math.round(ratio * 100)} %`;
}

/** `a, b and c`. */
export function listText(items: readonly string[]): string {
  const [last = '', ...others] = items.toReversed();
  return others.length === 0 ? last : `${others.toReversed().join(', ')} and ${last}`;
}

/** The text in lines that are not wider, unless a word is. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
