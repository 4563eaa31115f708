import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { createInterface } from 'node:readline';
import type { LiveView } from '../cities/live/live.dto.js';
import type { RunningAtlas } from './atlas.fixture.js';

const DATA = 'data: ';

/** A client of the live feed. Not by `fetch`, which opens another connection where one is left, and holds up the server's end with it. */
export class LiveFeedReader implements AsyncDisposable {
  /** What has come so far. */
  readonly views: LiveView[] = [];
  readonly response: IncomingMessage;
  /** Resolves when the feed has ended, or was left. */
  readonly ended: Promise<unknown>;

  private constructor(response: IncomingMessage) {
    this.response = response;
    response.on('error', () => undefined);
    this.ended = once(response, 'close');
    createInterface({ input: response }).on('line', (line) => {
      if (line.startsWith(DATA)) this.views.push(JSON.parse(line.slice(DATA.length)) as LiveView);
    });
  }

  static async open({ url }: RunningAtlas): Promise<LiveFeedReader> {
    const [response] = await once(get(`${url}/cities/live`), 'response');
    return new LiveFeedReader(response as IncomingMessage);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.response.destroy();
    await this.ended;
  }
}
