import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiServiceUnavailableResponse, ApiTags } from '@nestjs/swagger';
import { RedisInspector, type MemoryReport } from 'rednest/diagnostics';
import { ErrorBody } from '../common/error.dto.js';
import { ServerOverview, type ServerMemory } from './server.dto.js';

/**
 * What an operator wants to know first. Open like the rest of Atlas; elsewhere it belongs behind a guard: on a Cluster, warnings name the node.
 */
@ApiTags('server')
@ApiServiceUnavailableResponse({ type: ErrorBody, description: 'Redis is away.' })
@Controller('server')
export class ServerController {
  readonly #inspector: RedisInspector;

  constructor(inspector: RedisInspector) {
    this.#inspector = inspector;
  }

  @Get()
  @ApiOperation({ summary: 'How Redis is doing: memory, keys, and what costs most' })
  @ApiOkResponse({ type: ServerOverview })
  async overview(): Promise<ServerOverview> {
    const [memory, { keys }, { commands }] = await Promise.all([
      this.#inspector.memory(),
      this.#inspector.keyspace(),
      this.#inspector.commandStats({ top: 5, by: 'time' }),
    ]);
    return {
      memory: memoryOf(memory),
      keys: keys ?? null,
      commands: commands?.map(({ command, calls, time }) => ({ command, calls, time })) ?? null,
    };
  }
}

function memoryOf({ used, peak, limit, warnings }: MemoryReport): ServerMemory | null {
  if (used === undefined) return null;
  return { used, peak, limit: limit ?? null, warnings };
}
