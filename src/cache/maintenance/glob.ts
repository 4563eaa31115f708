const SPECIAL = /[*?[\]\\^]/g;

/**
 * Makes a text stand for itself in a pattern: what a user has typed can then match nothing else.
 *
 * @example await cache.deleteByPattern(`search:${escapePattern(term)}:*`);
 */
export function escapePattern(text: string): string {
  return text.replace(SPECIAL, '\\$&');
}

/** A glob pattern of Redis (`*`, `?`, `[a-c]`, `[^a]`, `\` before what stands for itself) as a regular expression. */
export function globToRegExp(pattern: string): RegExp {
  /** What stands between stars. Several stars in a row are as one. */
  const parts = [''];
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern[at]!;
    if (character === '*') {
      if (parts.length === 1 || parts.at(-1) !== '') parts.push('');
      continue;
    }
    let source: string;
    if (character === '?') source = '.';
    else if (character === '[') {
      const { members, end } = readClass(pattern, at + 1);
      source = members;
      at = end;
    } else {
      if (character === '\\' && at + 1 < pattern.length) at++;
      source = escapeText(pattern[at]!);
    }
    parts[parts.length - 1] += source;
  }
  return new RegExp(`^${joinParts(parts)}$`, 's');
}

/**
 * The first place where a part between two stars fits is as good as any later one, so none is ever tried again: what is looked ahead for
 * is not gone back into. Else the time would grow with the power of the stars.
 */
function joinParts([head = '', ...others]: readonly string[]): string {
  const tail = others.pop();
  if (tail === undefined) return head;
  const middle = others.map((part, index) => `(?=(.*?${part}))(?:\\${index + 1})`);
  return `${head}${middle.join('')}.*${tail}`;
}

/** Reads a class as Redis does: it may lack its end, ranges may be backwards, and an empty one matches nothing. */
function readClass(pattern: string, start: number): { members: string; end: number } {
  const isNegated = pattern[start] === '^';
  let at = isNegated ? start + 1 : start;
  let members = '';
  for (; at < pattern.length && pattern[at] !== ']'; at++) {
    if (pattern[at] === '\\' && at + 1 < pattern.length) members += escapeMember(pattern[++at]!);
    else if (pattern[at + 1] === '-' && at + 2 < pattern.length) {
      const ends = [pattern[at]!, pattern[(at += 2)]!].toSorted();
      members += ends.map(escapeMember).join('-');
    } else members += escapeMember(pattern[at]!);
  }
  if (members === '') return { members: isNegated ? '.' : '(?!)', end: at };
  return { members: `[${isNegated ? '^' : ''}${members}]`, end: at };
}

function escapeText(character: string): string {
  return character.replace(/[.*+?^${}()|[\]\\/]/, '\\$&');
}

function escapeMember(character: string): string {
  return character.replace(/[\\\]^-]/, '\\$&');
}
