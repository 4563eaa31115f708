import { Body, Controller, Get, Param, ParseIntPipe, Put, Query } from '@nestjs/common';
import {
  ApiBadRequestResponse,
  ApiNotFoundResponse,
  ApiOkResponse,
  ApiOperation,
  ApiServiceUnavailableResponse,
  ApiTags,
} from '@nestjs/swagger';
import { ErrorBody } from '../../common/error.dto.js';
import { City } from '../city.dto.js';
import { CityTags, TaggedQuery, TagsBody } from './tags.dto.js';
import { TagsService } from './tags.service.js';

@ApiTags('tags')
@ApiBadRequestResponse({ type: ErrorBody })
@ApiServiceUnavailableResponse({
  type: ErrorBody,
  description: 'Redis is away, or others changed the same tags.',
})
@Controller('cities')
export class TagsController {
  readonly #tags: TagsService;

  constructor(tags: TagsService) {
    this.#tags = tags;
  }

  @Get('tagged')
  @ApiOperation({ summary: 'Cities by their tags, ordered by id; `all` or `any` has to be given' })
  @ApiOkResponse({ type: [City] })
  tagged(@Query() query: TaggedQuery): Promise<City[]> {
    return this.#tags.tagged(query);
  }

  @Get(':id/tags')
  @ApiOperation({ summary: 'Tags of a city' })
  @ApiOkResponse({ type: CityTags })
  @ApiNotFoundResponse({ type: ErrorBody })
  find(@Param('id', ParseIntPipe) id: number): Promise<CityTags> {
    return this.#tags.find(id);
  }

  @Put(':id/tags')
  @ApiOperation({ summary: 'Set the tags of a city' })
  @ApiOkResponse({ type: CityTags })
  @ApiNotFoundResponse({ type: ErrorBody })
  replace(@Param('id', ParseIntPipe) id: number, @Body() { tags }: TagsBody): Promise<CityTags> {
    return this.#tags.replace(id, tags);
  }
}
