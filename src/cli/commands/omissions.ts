import type { Omission } from '../../diagnostics/index.js';
import { printable } from '../output/text.js';
import type { Terminal } from '../output/terminal.js';

/** Tells what a report had to leave out. */
export function tellOmissions(terminal: Terminal, omitted: readonly Omission[]): void {
  for (const { part, node, reason, error } of omitted)
    terminal.tell(`Left out: ${part}${node && ` of ${node}`} (${reason}): ${printable(error.message)}`);
}
