import type { Call } from '../call.js';
import { listText, wrap } from '../output/text.js';
import type { Finding, FindingLevel } from './finding.js';

const MARKS = {
  ok: { mark: '✓', colour: 'green', total: 'well' },
  warning: { mark: '!', colour: 'yellow', total: 'to look at' },
  problem: { mark: '✗', colour: 'red', total: 'wrong' },
  skipped: { mark: '–', colour: 'gray', total: 'not known' },
} as const satisfies Record<FindingLevel, { mark: string; colour: string; total: string }>;

const LEVELS = Object.keys(MARKS) as FindingLevel[];
/** How wide the column with the names of the checks is. */
const NAMES = 13;
const INDENT = ' '.repeat(2 + NAMES);

/** Shows findings as they come, or all of them as JSON. */
export class FindingsView {
  readonly #call: Call;
  readonly #findings: Finding[] = [];
  #subject: string | undefined;
  #lastCheck: string | undefined;

  constructor(call: Call) {
    this.#call = call;
  }

  has(level: FindingLevel): boolean {
    return this.#count(level) > 0;
  }

  /** @param subject which server it is about */
  setSubject(subject: string): void {
    this.#subject = subject;
  }

  add(findings: readonly Finding[]): void {
    for (const finding of findings) {
      // A node that does not answer does not answer to any check: that is said once.
      if (finding.level === 'problem' && this.#findings.some((other) => isSame(other, finding))) continue;
      this.#findings.push(finding);
      if (!this.#call.json) this.#show(finding);
    }
  }

  end(): void {
    const { terminal, connection, json } = this.#call;
    if (json) {
      const summary = Object.fromEntries(LEVELS.map((level) => [level, this.#count(level)]));
      terminal.writeJson({ connection, subject: this.#subject, findings: this.#findings, summary });
      return;
    }
    const totals = LEVELS.filter((level) => this.#count(level) > 0).map((level) => {
      const { colour, total } = MARKS[level];
      return terminal.style(colour, `${this.#count(level)} ${total}`);
    });
    terminal.write();
    terminal.write(`'${connection}'${this.#subject ? ` (${this.#subject})` : ''}: ${totals.join(', ')}`);
  }

  #show({ check, level, nodes, found, advice }: Finding): void {
    const { terminal } = this.#call;
    const { mark, colour } = MARKS[level];
    const [first = '', ...others] = this.#lines(`${nodesText(nodes)}${found}`);
    // The name of a check stands at its first finding only.
    const name = check === this.#lastCheck ? '' : check;
    this.#lastCheck = check;
    terminal.write(`${terminal.style(colour, mark)} ${terminal.style('bold', name.padEnd(NAMES))}${first}`);
    for (const line of others) terminal.write(`${INDENT}${line}`);
    if (advice === undefined) return;
    for (const [index, line] of this.#lines(advice, 2).entries())
      terminal.write(`${INDENT}${terminal.style('cyan', `${index === 0 ? '→' : ' '} ${line}`)}`);
  }

  #lines(text: string, indent = 0): string[] {
    const { width } = this.#call.terminal;
    return width === undefined ? [text] : wrap(text, Math.max(width - INDENT.length - indent, 20));
  }

  #count(level: FindingLevel): number {
    return this.#findings.filter((finding) => finding.level === level).length;
  }
}

function isSame(one: Finding, other: Finding): boolean {
  return one.found === other.found && String(one.nodes) === String(other.nodes);
}

/** More are counted, and named in the JSON. */
const MOST_NAMED = 3;

function nodesText(nodes: readonly string[] | undefined): string {
  if (!nodes) return '';
  return `${nodes.length > MOST_NAMED ? `${nodes.length} nodes` : listText(nodes)}: `;
}
