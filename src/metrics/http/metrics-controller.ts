import { Get, Res, type Type } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { respond } from '../../http/endpoint.js';
import { RedisMetrics } from '../redis-metrics.js';

/** The route that Prometheus asks. @param endpoint what the endpoint is decorated with, its path among it */
export function metricsController(endpoint: ClassDecorator): Type {
  @endpoint
  class RedisMetricsController {
    constructor(
      private readonly metrics: RedisMetrics,
      private readonly host: HttpAdapterHost,
    ) {}

    @Get()
    async scrape(@Res() response: unknown): Promise<void> {
      const body = await this.metrics.text();
      respond(this.host, response, {
        status: 200,
        body,
        headers: { 'Content-Type': this.metrics.contentType },
      });
    }
  }
  return RedisMetricsController;
}
