import { isReply } from '../../redis/shared.js';
import type { LatencyOptions } from '../options/inspector-options.js';
import type { AskedNode } from '../../inquiry/asked-node.js';
import type { Inquiry } from '../../inquiry/inquiry.js';
import type { Report } from '../../inquiry/omission.js';
import type { LatencyEvent, LatencyFigures, RoundTrips } from './reports.js';
import { groupBy, reportOf, sum, type Several } from '../../inquiry/together.js';

/** Text with the driver's `stringNumbers`. */
type Count = number | string;

/** As the server gives it: its name, seconds of the server's clock, then milliseconds. */
type Entry = readonly [event: string, at: Count, last: Count, worst: Count, ...unknown[]];

export async function latency(
  inquiry: Inquiry,
  options: Required<LatencyOptions>,
): Promise<Report<LatencyFigures>> {
  return reportOf(await inquiry.ofAll((node) => latencyOf(node, options)), together);
}

async function latencyOf(
  node: AskedNode,
  { samples }: Required<LatencyOptions>,
): Promise<LatencyFigures | undefined> {
  // One after the other: an answer on its way would be in the round trips.
  const latest = await node.ask('LATENCY LATEST', (client) => client.call('LATENCY', 'LATEST'));
  const roundTrip = await roundTripsTo(node, samples);
  const events = (latest as Entry[] | undefined)?.map(([event, at, last, worst]) => ({
    event,
    at: new Date(Number(at) * 1_000),
    last: Number(last),
    worst: Number(worst),
  }));
  return roundTrip || events ? { roundTrip, events } : undefined;
}

async function roundTripsTo(node: AskedNode, samples: number): Promise<RoundTrips | undefined> {
  const taken: number[] = [];
  while (taken.length < samples) {
    const startedAt = performance.now();
    const answer = await node.ask('PING', (client) => refusable(client.ping()));
    if (answer === undefined) break;
    taken.push(performance.now() - startedAt);
  }
  if (taken.length === 0) return undefined;
  const sorted = taken.toSorted((one, other) => one - other);
  return {
    samples: sorted.length,
    least: sorted[0]!,
    median: medianOf(sorted),
    most: sorted.at(-1)!,
  };
}

/** A refusal is an answer, too, and took a round trip. */
async function refusable(answer: Promise<unknown>): Promise<true> {
  await answer.catch((error: unknown) => (isReply(error) ? undefined : Promise.reject(error)));
  return true;
}

function medianOf(sorted: readonly number[]): number {
  const middle = sorted.length / 2;
  return (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle) - 1]!) / 2;
}

function together(nodes: Several<LatencyFigures>): LatencyFigures {
  const roundTrips = nodes.map((node) => node.roundTrip).filter((each) => each !== undefined);
  const events = nodes.map((node) => node.events).filter((each) => each !== undefined);
  return {
    roundTrip: roundTrips.length > 0 ? slowest(roundTrips) : undefined,
    events: events.length > 0 ? worstOf(events.flat()) : undefined,
  };
}

/** The median is that of the slowest node: all of them together have none that says anything. */
function slowest(roundTrips: readonly RoundTrips[]): RoundTrips {
  return {
    samples: sum(roundTrips, ({ samples }) => samples),
    least: Math.min(...roundTrips.map(({ least }) => least)),
    median: Math.max(...roundTrips.map(({ median }) => median)),
    most: Math.max(...roundTrips.map(({ most }) => most)),
  };
}

function worstOf(events: readonly LatencyEvent[]): LatencyEvent[] {
  return Array.from(groupBy(events, ({ event }) => event).values(), (same) => {
    const latest = same.reduce((one, other) => (other.at > one.at ? other : one));
    return { ...latest, worst: Math.max(...same.map(({ worst }) => worst)) };
  });
}
