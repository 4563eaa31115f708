import {
  Controller,
  Get,
  Res,
  UseGuards,
  VERSION_NEUTRAL,
  type CanActivate,
  type Type,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { HealthCheckResult } from '@nestjs/terminus';
import { Readiness } from '../readiness/readiness.js';
import { FINE, Startup } from '../readiness/startup.js';

export interface ControllerOptions {
  readonly path: string | string[];
  readonly guards: readonly (Type<CanActivate> | CanActivate)[];
  readonly decorators: readonly ClassDecorator[];
}

/**
 * The routes of the probes. They answer by themselves, rather than return or throw: what interceptors and filters of the application make of
 * its answers, or write to its log, is not for probes.
 */
export function healthController({ path, guards, decorators }: ControllerOptions): Type {
  @Controller({ path, version: VERSION_NEUTRAL })
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

    #answer(response: unknown, result: HealthCheckResult): void {
      const adapter = this.host.httpAdapter;
      const isFailing = result.status === 'error' || result.status === 'shutting_down';
      adapter.setHeader(response, 'Cache-Control', 'no-store');
      adapter.reply(response, result, isFailing ? 503 : 200);
    }
  }
  if (guards.length > 0) UseGuards(...guards)(RedisHealthController);
  for (const decorate of decorators) decorate(RedisHealthController);
  return RedisHealthController;
}
