/** The process that serves: run with the name of the platform, it sends its port to the one that started it. */
import 'reflect-metadata';
import {
  Controller,
  Get,
  Header,
  Module,
  Res,
  UseInterceptors,
  type CallHandler,
  type DynamicModule,
  type ExecutionContext,
  type INestApplication,
  type NestInterceptor,
  type Type,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { CacheModule, HttpCache, RedisModule } from 'rednest';
import { loadPeer } from '../../support/peers.js';
import { redisUrl } from '../../support/redis-url.js';
import { payloadOf } from './payloads.js';

interface NestCacheManager {
  CacheModule: { register(options: { ttl: number }): DynamicModule };
  CacheInterceptor: Type<NestInterceptor>;
}

/** What responses of Express and replies of Fastify have in common. */
interface Response {
  type(contentType: string): Response;
  header(name: string, value: string): Response;
  send(body: Buffer): unknown;
}

/** Node's own, which Express extends. */
interface RawResponse {
  setHeader(name: string, value: string | number): void;
  end(body: Buffer): void;
}

const small = payloadOf('1k');
const large = payloadOf('100k');
const json = 'application/json; charset=utf-8';
const smallBuffer = Buffer.from(JSON.stringify(small));
const largeBuffer = Buffer.from(JSON.stringify(large));

@Controller('plain')
class PlainController {
  @Get('1k')
  small(): object {
    return small;
  }

  @Get('100k')
  large(): object {
    return large;
  }
}

@Controller('prepared')
class PreparedController {
  @Get('1k')
  small(@Res() response: Response): void {
    response.type(json).send(smallBuffer);
  }

  @Get('100k')
  large(@Res() response: Response): void {
    response.type(json).send(largeBuffer);
  }
}

/** With the headers that tell clients and proxies of caching. */
@Controller('described')
class DescribedController {
  @Get('1k')
  small(@Res() response: Response): void {
    describe(response).send(smallBuffer);
  }

  @Get('100k')
  large(@Res() response: Response): void {
    describe(response).send(largeBuffer);
  }
}

/** Past the ETag that Express makes for every response: no framework writes less. */
@Controller('ended')
class EndedController {
  @Get('1k')
  small(@Res() response: RawResponse): void {
    end(response, smallBuffer);
  }

  @Get('100k')
  large(@Res() response: RawResponse): void {
    end(response, largeBuffer);
  }
}

class PassingInterceptor implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler): ReturnType<CallHandler['handle']> {
    return next.handle();
  }
}

/** What a handler costs that has an interceptor, whatever that does: a cache that is one could not be faster. */
@Controller('intercepted')
@UseInterceptors(PassingInterceptor)
class InterceptedController extends PreparedController {}

@Controller('rednest')
class RednestController {
  @Get('1k')
  @HttpCache({ ttl: '10m' })
  small(): object {
    return small;
  }

  @Get('100k')
  @HttpCache({ ttl: '10m' })
  large(): object {
    return large;
  }
}

function describe(response: Response): Response {
  return response
    .type(json)
    .header('etag', 'W/"0123456789abcdefghijklmnopq"')
    .header('x-cache', 'HIT')
    .header('age', '0')
    .header('vary', 'Authorization, Cookie')
    .header('cache-control', 'max-age=600');
}

function end(response: RawResponse, body: Buffer): void {
  response.setHeader('Content-Type', json);
  response.setHeader('Content-Length', body.length);
  response.end(body);
}

/** Its store in memory, which is its fastest. */
async function cacheManagerModule(): Promise<Type> {
  const { CacheModule: PeerModule, CacheInterceptor } =
    await loadPeer<NestCacheManager>('@nestjs/cache-manager');

  @Controller('cache-manager')
  @UseInterceptors(CacheInterceptor)
  class CacheManagerController {
    @Get('1k')
    @Header('Content-Type', json)
    small(): object {
      return small;
    }

    @Get('100k')
    @Header('Content-Type', json)
    large(): object {
      return large;
    }
  }

  @Module({ imports: [PeerModule.register({ ttl: 600_000 })], controllers: [CacheManagerController] })
  class CacheManagerModule {}

  return CacheManagerModule;
}

async function createApplication(platform: string): Promise<INestApplication> {
  const controllers = [
    PlainController,
    PreparedController,
    DescribedController,
    InterceptedController,
    RednestController,
  ];

  @Module({
    imports: [
      RedisModule.forRoot({ url: redisUrl() }),
      CacheModule.forRoot({ namespace: `bench-http-${platform}`, budget: '10s' }),
      await cacheManagerModule(),
    ],
    controllers: platform === 'express' ? [...controllers, EndedController] : controllers,
  })
  class BenchModule {}

  const options = { logger: ['error', 'warn'] as ('error' | 'warn')[] };
  return platform === 'express'
    ? NestFactory.create(BenchModule, options)
    : NestFactory.create(BenchModule, new FastifyAdapter(), options);
}

const application = await createApplication(process.argv[2] ?? '');
process.once('disconnect', () => void application.close());
/** How much of the processor it has used, in microseconds, for whoever asks. */
process.on('message', () => {
  const { user, system } = process.cpuUsage();
  process.send?.({ processorTime: user + system });
});
await application.listen(0, '127.0.0.1');
const { port } = application.getHttpServer().address() as { port: number };
process.send?.({ port });
