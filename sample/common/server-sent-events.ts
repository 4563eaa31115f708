import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { MessageEvent } from '@nestjs/common';
import { Observable } from 'rxjs';

/** What is sent, and to whom. */
export interface ServerSentEvents {
  readonly response: ServerResponse;
  /** Aborted when the application shuts down. */
  readonly stopped: AbortSignal;
  /** Begins it; the signal is aborted when the client has gone, or the application shuts down. */
  readonly open: (signal: AbortSignal) => AsyncIterable<object>;
}

/**
 * Sends what an iterator gives as server-sent events, for `@Sse`. Nest keeps in memory what a client does not take; here the iterator is not
 * asked for more while it has not taken what there was, so that only the bounds of the iterator hold.
 */
export function serverSentEvents({ response, stopped, open }: ServerSentEvents): Observable<MessageEvent> {
  return new Observable((subscriber) => {
    const gone = new AbortController();
    const signal = AbortSignal.any([gone.signal, stopped]);
    const send = async (): Promise<void> => {
      for await (const data of open(signal)) {
        subscriber.next({ data });
        await taken(response, signal);
      }
    };
    send()
      .then(() => subscriber.complete())
      .catch((error: unknown) => subscriber.error(error))
      // The HTTP server closes when all have what was sent: not waiting for who does not take it.
      .finally(() => stopped.aborted && response.writableNeedDrain && response.destroy());
    return () => gone.abort();
  });
}

/** Resolves when the client has taken what was written, or the signal is aborted. */
async function taken(response: ServerResponse, signal: AbortSignal): Promise<void> {
  // On its way through Nest, it is written to the response within this turn of the event loop.
  await nextTurn();
  if (response.writableNeedDrain) await once(response, 'drain', { signal }).catch(() => undefined);
}
