import {
  applyDecorators,
  Controller,
  Get,
  Res,
  UseGuards,
  VERSION_NEUTRAL,
  type CanActivate,
  type Type,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { RedisMetrics } from './redis-metrics.js';

/** What stands in front of the endpoint. */
export interface MetricsEndpointOptions {
  /** Guards, as `@UseGuards` takes them. */
  guards?: readonly (Type<CanActivate> | CanActivate)[];
  /** Decorators of its class, such as `@ApiExcludeController()` or one that lets a global guard pass. */
  decorators?: readonly ClassDecorator[];
}

/** The endpoint of an application: a class of its own for each, since paths and guards are metadata of classes. */
export function createMetricsController(
  path: string,
  { guards = [], decorators = [] }: MetricsEndpointOptions,
): Type {
  @Controller({ path, version: VERSION_NEUTRAL })
  class RedisMetricsController {
    constructor(
      private readonly metrics: RedisMetrics,
      private readonly host: HttpAdapterHost,
    ) {}

    /** Answered past the application's interceptors: what they make of other answers is nothing that Prometheus reads. */
    @Get()
    async scrape(@Res() response: unknown): Promise<void> {
      const text = await this.metrics.text();
      const { httpAdapter } = this.host;
      httpAdapter.setHeader(response, 'Content-Type', this.metrics.contentType);
      httpAdapter.setHeader(response, 'Cache-Control', 'no-store');
      httpAdapter.reply(response, text, 200);
    }
  }
  applyDecorators(UseGuards(...guards), ...decorators)(RedisMetricsController);
  return RedisMetricsController;
}
