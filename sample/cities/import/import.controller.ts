import { Controller, Get, HttpCode, HttpStatus, Param, Post } from '@nestjs/common';
import {
  ApiAcceptedResponse,
  ApiBadRequestResponse,
  ApiNotFoundResponse,
  ApiOkResponse,
  ApiOperation,
  ApiServiceUnavailableResponse,
  ApiTags,
} from '@nestjs/swagger';
import { ErrorBody } from '../../common/error.dto.js';
import { Import, ImportParams } from './import.dto.js';
import { ImportJobs } from './import.jobs.js';

@ApiTags('imports')
@ApiServiceUnavailableResponse({ type: ErrorBody, description: 'Redis is away.' })
@Controller('imports')
export class ImportController {
  readonly #jobs: ImportJobs;

  constructor(jobs: ImportJobs) {
    this.#jobs = jobs;
  }

  @Post()
  @HttpCode(HttpStatus.ACCEPTED)
  @ApiOperation({ summary: 'Import the cities again now, as it is done every night' })
  @ApiAcceptedResponse({ type: Import })
  add(): Promise<Import> {
    return this.#jobs.add();
  }

  @Get(':id')
  @ApiOperation({ summary: 'How far it is' })
  @ApiOkResponse({ type: Import })
  @ApiBadRequestResponse({ type: ErrorBody })
  @ApiNotFoundResponse({ type: ErrorBody })
  findOne(@Param() { id }: ImportParams): Promise<Import> {
    return this.#jobs.findOne(id);
  }
}
