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
  let source = '';
  for (let i = 0; i < pattern.length; i++) {
    const character = pattern[i]!;
    if (character === '*') source += '.*';
    else if (character === '?') source += '.';
    else if (character === '[') {
      const end = pattern.indexOf(']', i + 1);
      source += end < 0 ? '\\[' : classOf(pattern.slice(i + 1, end));
      if (end >= 0) i = end;
    } else {
      if (character === '\\' && i + 1 < pattern.length) i++;
      source += pattern[i]!.replace(/[.*+?^${}()|[\]\\/]/, '\\$&');
    }
  }
  return new RegExp(`^${source}$`, 's');
}

function classOf(content: string): string {
  const isNegated = content.startsWith('^');
  const members = (isNegated ? content.slice(1) : content).replace(/[\\\]^]/g, '\\$&');
  return members === '' ? (isNegated ? '.' : '(?!)') : `[${isNegated ? '^' : ''}${members}]`;
}
