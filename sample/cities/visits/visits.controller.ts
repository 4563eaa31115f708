import { Controller, Get, HttpCode, HttpStatus, Param, ParseIntPipe, Post, Query } from '@nestjs/common';
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
import { RankingService } from './ranking.service.js';
import { AcceptedVisit, Ranking, TopQuery, VisitedCity, VisitHistory } from './visits.dto.js';
import { VisitsService } from './visits.service.js';

@ApiTags('visits')
@ApiBadRequestResponse({ type: ErrorBody })
@ApiServiceUnavailableResponse({ type: ErrorBody, description: 'Redis is away.' })
@Controller('cities')
export class VisitsController {
  readonly #visits: VisitsService;
  readonly #ranking: RankingService;

  constructor(visits: VisitsService, ranking: RankingService) {
    this.#visits = visits;
    this.#ranking = ranking;
  }

  @Get('top')
  @ApiOperation({ summary: 'The most visited cities' })
  @ApiOkResponse({ type: [VisitedCity] })
  top(@Query() { limit }: TopQuery): Promise<VisitedCity[]> {
    return this.#visits.top(limit);
  }

  @Get('top/today')
  @ApiOperation({ summary: 'The most visited cities of the day, as they were some seconds ago' })
  @ApiOkResponse({ type: Ranking })
  topOfDay(@Query() { limit }: TopQuery): Promise<Ranking> {
    return this.#ranking.find(limit);
  }

  @Post(':id/visits')
  @HttpCode(HttpStatus.ACCEPTED)
  @ApiOperation({ summary: 'Tell a visit, which is counted soon after' })
  @ApiAcceptedResponse({ type: AcceptedVisit })
  @ApiNotFoundResponse({ type: ErrorBody })
  visit(@Param('id', ParseIntPipe) id: number): Promise<AcceptedVisit> {
    return this.#visits.visit(id);
  }

  @Get(':id/visits')
  @ApiOperation({ summary: 'Visits of a city, in all and by day' })
  @ApiOkResponse({ type: VisitHistory })
  @ApiNotFoundResponse({ type: ErrorBody })
  history(@Param('id', ParseIntPipe) id: number): Promise<VisitHistory> {
    return this.#visits.history(id);
  }
}
