import type { Redis } from 'ioredis';
import { RedisPermissionError, toConnectionError, type RedisError } from '../../redis/index.js';
import { orRedisError, type HostAndPort, type ResolvedRedisOptions } from '../../redis/shared.js';
import { withShortClient } from '../connection/short-client.js';
import { counted, printable } from '../output/text.js';
import { placeText } from './dial.js';
import type { Check } from './examined.js';
import type { Findings } from './finding.js';

type SentinelTarget = Extract<ResolvedRedisOptions['target'], { kind: 'sentinel' }>;

/** Whether each Sentinel knows the master, and whether enough of them can agree on another. */
export const sentinel: Check = {
  name: 'sentinel',
  appliesTo: ({ connection }) => connection.topology === 'sentinel',
  async look({ options, prefix }, findings) {
    const target = options.target as SentinelTarget;
    const answers = await Promise.all(target.nodes.map((node) => ask(node, target, options)));
    const masters = new Set(answers.flatMap(({ master }) => master ?? []));
    for (const answer of answers) tell(answer, { findings, target, prefix });
    if (masters.size > 1)
      findings.problem(
        `the Sentinels do not agree on the master: ${[...masters].join(', ')}`,
        'A failover may be under way: ask again. If it stays so, some Sentinels do not see the others',
      );
    const [quorum] = answers.flatMap((answer) => answer.quorum ?? []);
    if (quorum?.isReached) findings.ok(`quorum: ${printable(quorum.text)}`);
    else if (quorum)
      findings.problem(
        `no quorum: ${printable(quorum.text)}`,
        'There will be no failover: bring back Sentinels, or lower the quorum',
      );
    else if (masters.size > 0)
      findings.skipped(
        'whether there is a quorum is not permitted to ask',
        'Grant +sentinel|ckquorum on the Sentinels',
      );
    if (target.nodes.length < 3)
      findings.warning(
        `${counted(target.nodes.length, 'Sentinel is', 'Sentinels are')} configured`,
        `Name three or more in ${prefix}SENTINELS, so that one may be away`,
      );
  },
};

interface SentinelAnswer {
  readonly node: HostAndPort;
  readonly master?: string;
  readonly quorum?: { readonly isReached: boolean; readonly text: string };
  readonly error?: RedisError;
}

async function ask(
  node: HostAndPort,
  { masterName, username, password }: SentinelTarget,
  { tls }: ResolvedRedisOptions,
): Promise<SentinelAnswer> {
  const credentials = {
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
  };
  try {
    return await withShortClient(node, { tls, ...credentials }, async (client) => {
      const found = await orRedisError(client.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', masterName));
      if (!Array.isArray(found)) return { node };
      return { node, master: found.join(':'), ...(await quorumOf(client, masterName)) };
    });
  } catch (error) {
    return { node, error: toConnectionError(error) };
  }
}

async function quorumOf(client: Redis, masterName: string): Promise<Pick<SentinelAnswer, 'quorum'>> {
  try {
    const text = String(await orRedisError(client.call('SENTINEL', 'CKQUORUM', masterName)));
    return { quorum: { isReached: true, text: text.replace(/^OK /, '') } };
  } catch (error) {
    if (error instanceof RedisPermissionError) return {};
    return { quorum: { isReached: false, text: (error as Error).message.replace(/^NOQUORUM /, '') } };
  }
}

interface Told {
  readonly findings: Findings;
  readonly target: SentinelTarget;
  readonly prefix: string;
}

function tell({ node, master, error }: SentinelAnswer, { findings, target, prefix }: Told): void {
  const at = placeText(node);
  if (error)
    findings.warning(
      `${at} cannot be asked: ${printable(error.message)}`,
      'Is this Sentinel running, and does it let this user in?',
    );
  else if (master === undefined)
    findings.problem(`${at} knows no master '${target.masterName}'`, `Is ${prefix}SENTINEL_MASTER right?`);
  else findings.ok(`${at} names ${master} as the master`);
}
