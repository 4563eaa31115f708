const PART = String.raw`[\w-]+`;
const TOPIC = new RegExp(`^${PART}(?:\\.${PART})*$`);

/** A part of a pattern: literal, the beginning of one, or any. */
const PATTERN_PART = String.raw`(?:[\w-]+\*?|\*)`;
const PATTERN = new RegExp(`^(?:${PATTERN_PART}\\.)*(?:${PATTERN_PART}|\\*\\*)$`);

/** What a topic looks like, for messages. */
export const TOPIC_EXPECTED = "a topic (parts of letters, digits, '_' and '-', with '.' between them)";

/** What a pattern looks like, for messages. */
export const PATTERN_EXPECTED =
  "a pattern of topics ('*' for one part or the rest of one, '**' at the end for one or more)";

/** Whether it is the name of a topic: parts of letters, digits, `_` and `-`, with `.` between them. */
export function isTopic(text: unknown): text is string {
  return typeof text === 'string' && TOPIC.test(text);
}

/**
 * Whether it is a pattern of topics: a topic in which `*` stands for a part, or for the rest of one (`city.*`, `city.view*`), and `**` at the
 * end for one or more parts.
 */
export function isPattern(text: unknown): boolean {
  return typeof text === 'string' && text.includes('*') && PATTERN.test(text);
}

/**
 * What tells the topics that a pattern stands for. The time that it takes grows with the length of the topic only.
 *
 * @throws TypeError for what is no pattern
 */
export function matcher(pattern: string): (topic: string) => boolean {
  if (!isPattern(pattern)) throw new TypeError(`'${pattern}' is not ${PATTERN_EXPECTED}`);
  // Between two stars there is always a dot, which neither matches: the expression has one way only through a topic.
  const parts = pattern.split('.').map((part) => {
    if (part === '**') return `${PART}(?:\\.${PART})*`;
    return part === '*' ? PART : part.replace('*', String.raw`[\w-]*`);
  });
  const expression = new RegExp(`^${parts.join('\\.')}$`);
  return (topic) => expression.test(topic);
}

/** With what every topic of a pattern begins; '' where that is nothing. */
export function literalPrefix(pattern: string): string {
  const star = pattern.indexOf('*');
  return star < 0 ? pattern : pattern.slice(0, star);
}
