import { readFileSync } from 'node:fs';
import { defineScript, type RedisClient, type Script, type ScriptArgument } from '../../redis/index.js';

/** A key that a script shall treat, and the slot that it lies in. */
export interface KeyRequest {
  readonly key: string;
  readonly slot: number;
}

export interface TokenRequest extends KeyRequest {
  readonly token: string;
}

export interface AcquireRequest extends TokenRequest {
  /** What the caller knows of the entry: nothing, that it does not matter, or the birth of the one that is no longer good enough. */
  readonly known: number | '' | 'any';
  /** Since when, by the server's clock, the caller has waited for another. */
  readonly waitingSince: number | undefined;
  /** Whether Redis was asked: the lease may be granted although no answer has come. */
  mayBeGranted: boolean;
}

export interface ReleaseRequest extends TokenRequest {
  /**
   * That the factory has run, and gave nothing that could be stored: those that have waited for it need not wait for each other. With the time of
   * birth of what there is, if that is of no use. Undefined: somebody else shall run it.
   */
  readonly failed: { readonly useless: number | undefined } | undefined;
}

export interface StoreRequest extends TokenRequest {
  /** How long Redis keeps the record, in milliseconds. */
  readonly keep: number;
  readonly record: Buffer;
}

export interface StampRequest extends KeyRequest {
  /** What a stamp that is made has to be higher than. */
  readonly floor: number;
}

export interface EnsureRequest extends StampRequest {
  /** For how long the stamp will be needed, in milliseconds. */
  readonly needed: number;
}

/** The stamp, until it is kept for how many milliseconds, and whether it was made now. */
export interface EnsuredStamp {
  readonly text: string;
  readonly kept: number;
  readonly isNew: boolean;
}

type ScriptName = 'acquire' | 'renew' | 'release' | 'expire' | 'ensure' | 'stamp';

/** A script over many keys of one slot: each reply stands where its request stood. */
function batched<Request extends KeyRequest, Reply>(
  name: ScriptName,
  args: (request: Request) => ScriptArgument[],
  reply: (raw: unknown[]) => Reply[],
): (common?: ScriptArgument) => Script<readonly Request[], Reply[]> {
  return (common) =>
    defineScript<readonly Request[], Reply[]>({
      lua: new URL(`./scripts/${name}.lua`, import.meta.url),
      keys: (requests) => requests.map(({ key }) => key),
      args: (requests) => {
        const all: ScriptArgument[] = common === undefined ? [] : [common];
        for (const request of requests) all.push(...args(request));
        return all;
      },
      reply: (raw) => reply(raw as unknown[]),
    });
}

/** Outcome of {@link acquireScript} for who has waited for a run that came to nothing, while another holds the lease. */
export const BESIDE = -2;

/**
 * What {@link acquireScript} replies for each: the server's time, and 0 granted, -1 a newer entry is there, {@link BESIDE}, or how long another
 * holds the lease.
 */
export interface AcquireReply {
  readonly now: number;
  readonly outcome: number;
}

/** Parameter of each: the lease, in milliseconds. */
export const acquireScript = batched<AcquireRequest, AcquireReply>(
  'acquire',
  ({ token, known, waitingSince }) => [token, known, waitingSince ?? ''],
  ([microseconds, ...outcomes]) => {
    // To the microsecond, as stamps are: which of them was first has to be told within a millisecond, too.
    const now = Number(microseconds) / 1_000;
    return outcomes.map((outcome) => ({ now, outcome: Number(outcome) }));
  },
);
export const renewScript = batched<TokenRequest, boolean>('renew', ({ token }) => [token], areOne);

export const releaseScript = batched<ReleaseRequest, boolean>(
  'release',
  ({ token, failed }) => [token, failed ? (failed.useless ?? 'none') : ''],
  areOne,
);

/**
 * Sent with its source each time. By its SHA-1 a server that does not know it yet would be asked twice, and what is asked of it in between
 * would find nothing, though who asks was given the value.
 */
export function storeScript(): Pick<Script<readonly StoreRequest[], boolean[]>, 'run'> {
  const source = readFileSync(new URL('./scripts/store.lua', import.meta.url), 'utf8').replace(
    /^--.*\n/gm,
    '',
  );
  return {
    async run(client: RedisClient, requests) {
      const parameters: ScriptArgument[] = requests.map(({ key }) => key);
      for (const { token, keep, record } of requests) parameters.push(token, keep, record);
      return areOne((await client.eval(source, requests.length, parameters as never)) as unknown[]);
    },
  };
}

export const expireScript = batched<KeyRequest, boolean>('expire', () => [], areOne);
export const ensureScript = batched<EnsureRequest, EnsuredStamp>(
  'ensure',
  ({ needed, floor }) => [needed, floor],
  (raw) =>
    (raw as [unknown, unknown, unknown][]).map(([text, kept, made]) => ({
      text: String(text),
      kept: Number(kept),
      isNew: Number(made) === 1,
    })),
);

/** Parameter: for how long a stamp is kept at least, in milliseconds. */
export const stampScript = batched<StampRequest, string>(
  'stamp',
  ({ floor }) => [floor],
  (raw) => raw.map(String),
);

function areOne(raw: unknown[]): boolean[] {
  return raw.map((each) => Number(each) === 1);
}
