import type { Omission, RedisInspector } from '../../diagnostics/index.js';
import type { RedisConnection } from '../../redis/index.js';
import type { ResolvedRedisOptions } from '../../redis/shared.js';
import { isReply } from '../../redis/shared.js';
import { printable } from '../output/text.js';
import { connectionAdvice } from './explain.js';
import type { Findings } from './finding.js';

/** What a doctor has before it: a connection that is ready. */
export interface Examined {
  readonly connection: RedisConnection;
  readonly inspector: RedisInspector;
  readonly options: ResolvedRedisOptions;
  /** What the variables begin with. */
  readonly prefix: string;
}

/** One thing to look at. */
export interface Check {
  readonly name: string;
  /** @throws RedisError where it cannot be looked at */
  readonly look: (examined: Examined, findings: Findings) => Promise<unknown>;
  /** Whether it applies. @default to all */
  readonly appliesTo?: (examined: Examined) => boolean;
}

/** Has every node of a report told, and says what was left out. */
export function eachNode<Node extends { readonly node: string }>(
  examined: Examined,
  findings: Findings,
  { nodes, omitted }: { readonly nodes: readonly Node[]; readonly omitted: readonly Omission[] },
  tell: (node: Node, its: Findings) => void,
): void {
  for (const node of nodes) tell(node, ofNode(examined, findings, node.node));
  tellOmissions(examined, findings, omitted);
}

/** Says what was left out of a report. */
export function tellOmissions(examined: Examined, findings: Findings, omitted: readonly Omission[]): void {
  for (const { node, part, reason, error } of omitted) {
    const its = ofNode(examined, findings, node);
    if (reason === 'not permitted') its.skipped(`${part} is not permitted`, `Grant +${ruleOf(part)}`);
    else if (reason === 'not available') its.skipped(`${part} is not available: ${printable(error.message)}`);
    else if (isReply(error))
      its.problem(`it refuses: ${printable(error.message)}`, connectionAdvice(error, examined.prefix));
    else its.problem('it does not answer', 'Is it running, and is there a way to it?');
  }
}

/** Where there is one node, everybody knows which is meant. */
export function ofNode({ connection }: Examined, findings: Findings, node: string): Findings {
  return connection.topology === 'cluster' ? findings.of(node) : findings;
}

/** `SLOWLOG GET` as ACLs have it; of `INFO memory`, the command alone. */
function ruleOf(part: string): string {
  const [command = '', subcommand] = part.toLowerCase().split(' ');
  return command === 'info' || subcommand === undefined ? command : `${command}|${subcommand}`;
}
