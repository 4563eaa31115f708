import type { ResolvedRedisOptions } from '../../redis/shared.js';
import { durationText, listText, printable } from '../output/text.js';
import { addressesOf, dial, greet, isLoopback, placeText, type Place } from './dial.js';
import { Findings, type Finding } from './finding.js';
import { checkPlaintext, checkTls } from './tls-checks.js';

/** How addresses are looked at. */
export interface AddressParameters {
  readonly options: ResolvedRedisOptions;
  /** What the variables begin with. */
  readonly prefix: string;
  /** Milliseconds for each step. */
  readonly timeout: number;
}

interface Looked {
  readonly address: readonly Finding[];
  readonly tls: readonly Finding[];
  readonly isUsable: boolean;
}

/** Where a connection begins: the server, the Sentinels, or some nodes of the Cluster. */
export function placesOf({ target }: ResolvedRedisOptions): readonly Place[] {
  switch (target.kind) {
    case 'standalone':
      return [{ host: target.host, port: target.port }];
    case 'socket':
      return [{ path: target.path }];
    case 'sentinel':
    case 'cluster':
      return target.nodes;
  }
}

/** Names, ports, and TLS of all addresses. Usable is one at least, or there is nothing to connect to. */
export async function checkAddresses(
  parameters: AddressParameters,
): Promise<{ findings: readonly Finding[]; isUsable: boolean }> {
  const places = placesOf(parameters.options);
  const looked = await Promise.all(places.map((place) => look(place, parameters)));
  const tls = looked.flatMap((each) => each.tls);
  // What is the same for all nodes is said once.
  const told = tls.filter(({ found }, index) => tls.findIndex((other) => other.found === found) === index);
  return {
    findings: [...looked.flatMap(({ address }) => address), ...told],
    isUsable: looked.some(({ isUsable }) => isUsable),
  };
}

async function look(place: Place, parameters: AddressParameters): Promise<Looked> {
  const { timeout, options } = parameters;
  const address = new Findings('address');
  const unusable = { address: address.list, tls: [], isUsable: false };
  try {
    const addresses = 'host' in place ? await addressesOf(place.host) : [];
    const begun = performance.now();
    const socket = await dial(place, timeout);
    const took = performance.now() - begun;
    const resolved = 'host' in place && !addresses.includes(place.host) ? ` (${listText(addresses)})` : '';
    address.ok(`${placeText(place)}${resolved} accepts connections, in ${durationText(took)}`);
    const answer = await greet(socket, timeout);
    const isLocal = 'path' in place || addresses.every(isLoopback);
    const { findings, isUsable } = options.tls
      ? await checkTls(place, answer, parameters)
      : await checkPlaintext(place, answer, { ...parameters, isLocal });
    return { address: address.list, tls: findings.list, isUsable };
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    address.problem(
      `${placeText(place)}: ${printable(message)}`,
      (ADVICE[code] ?? unknownAdvice)(variablesOf(parameters), place),
    );
    return unusable;
  }
}

/** Which variables say where to connect to. */
function variablesOf({ options, prefix }: AddressParameters): string {
  switch (options.target.kind) {
    case 'standalone':
      return `${prefix}URL, or ${prefix}HOST and ${prefix}PORT`;
    case 'socket':
      return `${prefix}URL`;
    case 'sentinel':
      return `${prefix}SENTINELS`;
    case 'cluster':
      return `${prefix}CLUSTER_NODES`;
  }
}

/** @param variables which say where to connect to */
type Advice = (variables: string, place: Place) => string;

const nameAdvice: Advice = (variables) =>
  `No address is known for this name: is it spelled right (${variables}), and does DNS know it from here?`;
const unknownAdvice: Advice = (variables) =>
  `Is the address right (${variables}), and is there a way to it from here?`;
const silentAdvice: Advice = (variables) =>
  `Nobody answers there: a firewall, a network policy or a wrong address (${variables}). Ask from where the application runs`;

const ADVICE: Readonly<Record<string, Advice>> = {
  ENOTFOUND: nameAdvice,
  EAI_AGAIN: nameAdvice,
  ECONNREFUSED: (variables, place) =>
    'path' in place
      ? 'No server listens on this socket: is it running?'
      : `No server listens on this port: is it running, and is the port right (${variables})?`,
  ENOENT: () => 'There is no such socket: is the server running, and is the path right (unixsocket)?',
  EACCES: () => 'This user may not open the socket (unixsocketperm)',
  ETIMEDOUT: silentAdvice,
  EHOSTUNREACH: silentAdvice,
  ENETUNREACH: silentAdvice,
};
