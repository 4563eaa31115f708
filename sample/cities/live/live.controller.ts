import type { ServerResponse } from 'node:http';
import { Controller, type MessageEvent, Res, Sse } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';
import type { Observable } from 'rxjs';
import { serverSentEvents } from '../../common/server-sent-events.js';
import { LiveFeed } from './live-feed.js';
import { LiveView } from './live.dto.js';

@ApiTags('visits')
@Controller('cities')
export class LiveController {
  readonly #feed: LiveFeed;

  constructor(feed: LiveFeed) {
    this.#feed = feed;
  }

  @Sse('live')
  @ApiOperation({
    summary:
      'Visits as they come, as server-sent events, until the client goes; one that is slow misses some',
  })
  @ApiProduces('text/event-stream')
  @ApiOkResponse({ type: LiveView, description: 'One event for each visit; this is its data, as JSON.' })
  live(@Res() response: ServerResponse): Observable<MessageEvent> {
    const { stopped } = this.#feed;
    return serverSentEvents({ response, stopped, open: (signal) => this.#feed.views(signal) });
  }
}
