import { type AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Get, type INestApplication, Param } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import {
  EventBusClosedError,
  EventUnavailableError,
  RedisPermissionError,
  RedisUnavailableError,
} from 'rednest';
import { RedisErrorFilter } from './redis-error.filter.js';

const ERRORS: Readonly<Record<string, Error>> = {
  away: new RedisUnavailableError('away'),
  unavailable: new EventUnavailableError('city.viewed', '1', new RedisUnavailableError('away')),
  closed: new EventBusClosedError("Event 'city.viewed'"),
  forbidden: new EventUnavailableError('city.viewed', '1', new RedisPermissionError('NOPERM')),
  own: new Error('of its own'),
};

@Controller()
class FailingController {
  @Get(':error')
  fail(@Param('error') error: string): never {
    throw ERRORS[error]!;
  }
}

describe('RedisErrorFilter', () => {
  let app: INestApplication;

  beforeAll(async () => {
    const module = await Test.createTestingModule({
      controllers: [FailingController],
      providers: [{ provide: APP_FILTER, useClass: RedisErrorFilter }],
    }).compile();
    app = module.createNestApplication({ logger: false });
    await app.listen(0, '127.0.0.1');
  });

  afterAll(() => app?.close());

  it.each([
    ['away', 503, '2'],
    ['unavailable', 503, '2'],
    ['closed', 503, '2'],
    ['forbidden', 500, null],
    ['own', 500, null],
  ])('answers to what is %s with %d', async (error, status, retryAfter) => {
    const { port } = app.getHttpServer().address() as AddressInfo;
    const response = await fetch(`http://127.0.0.1:${port}/${error}`);
    expect([response.status, response.headers.get('retry-after')]).toEqual([status, retryAfter]);
    expect(await response.text()).not.toMatch(/city\.viewed|NOPERM|own/);
  });
});
