/** How something is. `skipped`: it could not be looked at, and may be well. */
export type FindingLevel = 'ok' | 'warning' | 'problem' | 'skipped';

/** Something that was looked at. */
export interface Finding {
  /** What was looked at: `memory`. */
  readonly check: string;
  readonly level: FindingLevel;
  /** Of which nodes of a Cluster it is said. */
  readonly nodes?: readonly string[];
  /** What was found, as a sentence without a full stop. */
  readonly found: string;
  /** What to do about it. */
  readonly advice?: string;
}

/** The findings of one check, under its name. What is said of several nodes alike is one finding. */
export class Findings {
  readonly #check: string;
  readonly #node: string | undefined;
  readonly #list: Finding[];

  constructor(check: string, node?: string, list: Finding[] = []) {
    this.#check = check;
    this.#node = node;
    this.#list = list;
  }

  get list(): readonly Finding[] {
    return this.#list;
  }

  /** Takes what is said of a node of a Cluster, into the same list. */
  of(node: string): Findings {
    return new Findings(this.#check, node, this.#list);
  }

  ok(found: string): void {
    this.#add('ok', found);
  }

  warning(found: string, advice: string): void {
    this.#add('warning', found, advice);
  }

  problem(found: string, advice: string): void {
    this.#add('problem', found, advice);
  }

  skipped(found: string, advice?: string): void {
    this.#add('skipped', found, advice);
  }

  #add(level: FindingLevel, found: string, advice?: string): void {
    const index = this.#list.findIndex((other) => other.found === found && other.level === level);
    const { nodes = [] } = this.#list[index] ?? {};
    const finding = {
      check: this.#check,
      level,
      ...(this.#node !== undefined && { nodes: [...new Set([...nodes, this.#node])] }),
      found,
      ...(advice !== undefined && { advice }),
    };
    if (index < 0) this.#list.push(finding);
    else this.#list[index] = finding;
  }
}
