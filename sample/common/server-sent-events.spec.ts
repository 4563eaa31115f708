import { once } from 'node:events';
import { get, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, type INestApplication, type MessageEvent, Res, Sse } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import type { Observable } from 'rxjs';
import { until } from '../test/until.fixture.js';
import { serverSentEvents } from './server-sent-events.js';

/** Characters: some hundred of them fill all buffers between two sockets. */
const SIZE = 100_000;

describe('serverSentEvents', () => {
  let app: INestApplication;
  let client: IncomingMessage;
  let stopped: AbortController;
  let given: number;
  let hasEnded: boolean;

  async function* endless(signal: AbortSignal): AsyncGenerator<object> {
    try {
      for (; !signal.aborted; given++) yield { text: 'x'.repeat(SIZE) };
    } finally {
      hasEnded = true;
    }
  }

  @Controller()
  class EndlessController {
    @Sse('endless')
    endless(@Res() response: ServerResponse): Observable<MessageEvent> {
      return serverSentEvents({ response, stopped: stopped.signal, open: endless });
    }
  }

  beforeEach(async () => {
    stopped = new AbortController();
    given = 0;
    hasEnded = false;
    const module = await Test.createTestingModule({ controllers: [EndlessController] }).compile();
    app = module.createNestApplication({ logger: false });
    await app.listen(0, '127.0.0.1');
    const { port } = app.getHttpServer().address() as AddressInfo;
    [client] = await once(get({ port, path: '/endless' }), 'response');
    client.on('error', () => undefined);
  });

  afterEach(async () => {
    client?.destroy();
    await app?.close();
  });

  /** The client has not begun to read. */
  async function stuck(): Promise<void> {
    let before = -1;
    await until(async () => {
      const isStuck = given > 0 && given === before;
      before = given;
      await sleep(250);
      return isStuck;
    });
  }

  it('asks for no more while the client does not take what there is, and goes on when it does', async () => {
    await stuck();
    const before = given;
    client.resume();
    await until(() => given > 2 * before);
  });

  it('ends when the client goes', async () => {
    await stuck();
    client.destroy();
    await until(() => hasEnded);
  });

  it('cuts off, at shutdown, a client that does not read', async () => {
    await stuck();
    stopped.abort();
    await app.close();
    expect(hasEnded).toBe(true);
  });
});
