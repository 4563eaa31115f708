import { RedisError, type RedisErrorCode } from '../../redis/index.js';
import { environmentPrefix, isReply, type ResolvedRedisOptions } from '../../redis/shared.js';
import type { Call } from '../call.js';
import { Session } from '../connection/session.js';
import { EXIT } from '../exit-codes.js';
import { printable } from '../output/text.js';
import { StoppedError } from '../stopped-error.js';
import { checkAddresses, placesOf } from './addresses.js';
import { cluster } from './cluster-check.js';
import { placeText } from './dial.js';
import { readEnvironment } from './environment.js';
import type { Check, Examined } from './examined.js';
import { connectionAdvice } from './explain.js';
import { Findings } from './finding.js';
import { permissions } from './permissions.js';
import { FindingsView } from './findings-view.js';
import { sentinel } from './sentinel-check.js';
import {
  authentication,
  clients,
  latency,
  memory,
  persistence,
  replication,
  version,
} from './server-checks.js';

/** What is looked at when the connection is there, in this order. */
const CHECKS: readonly Check[] = [
  authentication,
  version,
  sentinel,
  cluster,
  replication,
  permissions,
  latency,
  memory,
  persistence,
  clients,
];

/** After these, nothing more can be looked at. */
const LOST: readonly RedisErrorCode[] = [
  'REDIS_UNAVAILABLE',
  'REDIS_CONNECTION_LOST',
  'REDIS_TIMEOUT',
  'REDIS_CLOSED',
];

export interface DoctorOptions {
  /** Whether warnings count as problems do. */
  readonly strict?: boolean | undefined;
}

/** Looks at everything between the environment and the server's disk, and tells what it found and what to do. */
export async function doctor(call: Call, { strict = false }: DoctorOptions): Promise<number> {
  const view = new FindingsView(call);
  const code = await examine(call, view);
  view.end();
  if (code !== EXIT.done) return code;
  return view.has('problem') || (strict && view.has('warning')) ? EXIT.failed : EXIT.done;
}

/** @returns how far it came */
async function examine(call: Call, view: FindingsView): Promise<number> {
  const { connection, timeout, signal } = call;
  const environment = await readEnvironment(connection);
  const { options } = environment;
  view.add(environment.findings);
  if (!options) return EXIT.wrongCall;
  view.setSubject(subjectOf(options));
  const prefix = environmentPrefix(connection);
  const addresses = await checkAddresses({ options, prefix, timeout });
  view.add(addresses.findings);
  if (signal.aborted) return EXIT.stopped;
  if (!addresses.isUsable) return EXIT.notConnected;
  try {
    await using session = await Session.open(call);
    const examined = { connection: session.connection, inspector: session.inspector, options, prefix };
    const isLost = await examineServer(examined, call, view);
    if (signal.aborted) return EXIT.stopped;
    if (isLost) return EXIT.notConnected;
    return EXIT.done;
  } catch (error) {
    if (error instanceof StoppedError) return EXIT.stopped;
    if (!(error instanceof RedisError)) throw error;
    const advice = connectionAdvice(error, prefix);
    const findings = new Findings('connection');
    findings.problem(printable(error.message), advice);
    view.add(findings.list);
    return EXIT.notConnected;
  }
}

/** @returns whether nothing more can be looked at */
async function examineServer(examined: Examined, { signal }: Call, view: FindingsView): Promise<boolean> {
  for (const { name, look, appliesTo } of CHECKS) {
    if (signal.aborted) return false;
    if (appliesTo && !appliesTo(examined)) continue;
    const findings = new Findings(name);
    try {
      await look(examined, findings);
    } catch (error) {
      if (!(error instanceof RedisError)) throw error;
      // A Cluster may have lost one of its nodes only.
      if (LOST.includes(error.code) && examined.connection.topology !== 'cluster') {
        const found = isReply(error) ? 'Redis refuses' : 'Redis no longer answers';
        const advice = connectionAdvice(error, examined.prefix);
        findings.problem(`${found}: ${printable(error.message)}`, advice);
        view.add(findings.list);
        return true;
      }
      findings.skipped(`it cannot be looked at: ${printable(error.message)}`);
    }
    view.add(findings.list);
  }
  return false;
}

function subjectOf(options: ResolvedRedisOptions): string {
  const { kind } = options.target;
  const topology = kind === 'socket' ? 'standalone' : kind;
  return `${topology} ${placesOf(options).map(placeText).join(', ')}`;
}
