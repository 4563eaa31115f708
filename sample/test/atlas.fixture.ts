import { randomBytes } from 'node:crypto';
import { type AddressInfo } from 'node:net';
import { type INestApplication, type LoggerService } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { type RedisModuleOptions } from 'rednest';
import { AppModule, type AppOptions } from '../app.module.js';
import { configureAtlas } from '../bootstrap.js';
import { CitySource } from '../cities/import/city-source.js';
import { fewCities, FixedSource } from './city-data.fixture.js';

/** Of every Atlas that a test starts, unless it says otherwise. */
const encryptionKey = randomBytes(32).toString('hex');
const sessionSecret = randomBytes(32).toString('hex');

export interface AtlasOptions {
  /** Of the Redis connection. */
  redis: RedisModuleOptions;
  /** @default one, the same for all of the test */
  keys?: NonNullable<AppOptions['keys']>;
  /** What it imports where no cities are there. @default some two hundred real ones */
  source?: CitySource;
  /** @default nothing is logged */
  logger?: LoggerService;
}

/** An answer of Atlas, with the body read. */
export interface Answer<Body> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Body;
}

/** Atlas on a free port, and requests to it. */
export class RunningAtlas implements AsyncDisposable {
  readonly app: INestApplication;
  readonly url: string;

  private constructor(app: INestApplication) {
    this.app = app;
    const { port } = app.getHttpServer().address() as AddressInfo;
    this.url = `http://127.0.0.1:${port}`;
  }

  static async start({
    redis,
    keys = { key: encryptionKey },
    source = new FixedSource(fewCities()),
    logger,
  }: AtlasOptions): Promise<RunningAtlas> {
    const module = await Test.createTestingModule({
      imports: [await AppModule.forRoot({ redis, keys, sessionSecret })],
    })
      .overrideProvider(CitySource)
      .useValue(source)
      .compile();
    const app = configureAtlas(module.createNestApplication({ logger: logger ?? false }));
    try {
      await app.listen(0, '127.0.0.1');
      return new RunningAtlas(app);
    } catch (error) {
      await app.close();
      throw error;
    }
  }

  get<Body>(path: string): Promise<Answer<Body>> {
    return this.#request(path);
  }

  post<Body>(path: string, body?: unknown): Promise<Answer<Body>> {
    return this.#request(path, 'POST', body);
  }

  put<Body>(path: string, body: unknown): Promise<Answer<Body>> {
    return this.#request(path, 'PUT', body);
  }

  patch<Body>(path: string, body: unknown): Promise<Answer<Body>> {
    return this.#request(path, 'PATCH', body);
  }

  delete<Body>(path: string): Promise<Answer<Body>> {
    return this.#request(path, 'DELETE');
  }

  /** @param signal what it is told to stop by. @default nothing: it just closes */
  close(signal?: NodeJS.Signals): Promise<void> {
    // Nest takes the signal, and does not say so in this type.
    const app: { close(signal?: string): Promise<void> } = this.app;
    return app.close(signal);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #request<Body>(path: string, method = 'GET', body?: unknown): Promise<Answer<Body>> {
    const response = await fetch(this.url + path, {
      method,
      ...(body !== undefined && {
        headers: { 'content-type': 'application/json' },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      }),
    });
    // There is none where there is no content.
    const content: unknown = response.status === 204 ? undefined : await response.json();
    return { status: response.status, headers: response.headers, body: content as Body };
  }
}
