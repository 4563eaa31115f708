import {
  Body,
  Controller,
  Get,
  HttpCode,
  HttpStatus,
  Param,
  ParseUUIDPipe,
  Post,
  Query,
} from '@nestjs/common';
import {
  ApiAcceptedResponse,
  ApiBadRequestResponse,
  ApiNotFoundResponse,
  ApiOkResponse,
  ApiOperation,
  ApiServiceUnavailableResponse,
  ApiTags,
} from '@nestjs/swagger';
import { ErrorBody } from '../common/error.dto.js';
import { WorkBody, WorkItem, WorkQuery } from './work.dto.js';
import { WorkService } from './work.service.js';

@ApiTags('work')
@ApiBadRequestResponse({ type: ErrorBody })
@ApiNotFoundResponse({ type: ErrorBody })
@ApiServiceUnavailableResponse({ type: ErrorBody, description: 'Redis is away.' })
@Controller('work')
export class WorkController {
  readonly #work: WorkService;

  constructor(work: WorkService) {
    this.#work = work;
  }

  @Post()
  @HttpCode(HttpStatus.ACCEPTED)
  @ApiOperation({ summary: 'Have the neighbours of a city worked out' })
  @ApiAcceptedResponse({ type: WorkItem })
  add(@Body() { cityId }: WorkBody): Promise<WorkItem> {
    return this.#work.add(cityId);
  }

  @Get(':id')
  @ApiOperation({ summary: 'How far it is, and the result' })
  @ApiOkResponse({ type: WorkItem })
  findOne(@Param('id', ParseUUIDPipe) id: string, @Query() { wait }: WorkQuery): Promise<WorkItem> {
    return this.#work.findOne(id, wait);
  }
}
