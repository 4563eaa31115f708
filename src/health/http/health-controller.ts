import { Get, Res, type Type } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { HealthCheckResult } from '@nestjs/terminus';
import { respond } from '../../http/endpoint.js';
import { Readiness } from '../readiness/readiness.js';
import { FINE, Startup } from '../readiness/startup.js';

/** The routes of the probes. @param endpoint what the endpoint is decorated with, its path among it */
export function healthController(endpoint: ClassDecorator): Type {
  @endpoint
  class RedisHealthController {
    constructor(
      private readonly readiness: Readiness,
      private readonly startup: Startup,
      private readonly host: HttpAdapterHost,
    ) {}

    /** Whether the process serves. A Redis that is away is no reason to start the process anew. */
    @Get('live')
    live(@Res() response: unknown): void {
      this.#answer(response, FINE);
    }

    @Get('ready')
    async ready(@Res() response: unknown): Promise<void> {
      this.#answer(response, await this.readiness.check());
    }

    @Get('startup')
    async started(@Res() response: unknown): Promise<void> {
      this.#answer(response, await this.startup.check());
    }

    #answer(response: unknown, body: HealthCheckResult): void {
      const isFailing = body.status === 'error' || body.status === 'shutting_down';
      respond(this.host, response, { status: isFailing ? 503 : 200, body });
    }
  }
  return RedisHealthController;
}
