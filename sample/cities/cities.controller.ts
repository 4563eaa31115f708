import { Body, Controller, Get, Param, ParseIntPipe, Patch, Query, UseGuards } from '@nestjs/common';
import {
  ApiBadRequestResponse,
  ApiNotFoundResponse,
  ApiOkResponse,
  ApiOperation,
  ApiServiceUnavailableResponse,
  ApiTags,
  ApiTooManyRequestsResponse,
} from '@nestjs/swagger';
import { ThrottlerGuard } from '@nestjs/throttler';
import { HttpCache } from 'rednest';
import { ErrorBody } from '../common/error.dto.js';
import { ListCitiesQuery, NearQuery } from './cities.queries.js';
import { cityTags } from './cities.keys.js';
import { CitiesService } from './cities.service.js';
import { CityUpdateService } from './city-update.service.js';
import { City, CityUpdate, NearbyCity } from './city.dto.js';

@ApiTags('cities')
@ApiBadRequestResponse({ type: ErrorBody })
@ApiServiceUnavailableResponse({ type: ErrorBody, description: 'Redis is away.' })
@Controller('cities')
export class CitiesController {
  readonly #cities: CitiesService;
  readonly #updates: CityUpdateService;

  constructor(cities: CitiesService, updates: CityUpdateService) {
    this.#cities = cities;
    this.#updates = updates;
  }

  @Get()
  @UseGuards(ThrottlerGuard)
  @ApiOperation({ summary: 'Search by name, or list; most populous first' })
  @ApiOkResponse({ type: [City] })
  @ApiTooManyRequestsResponse({ type: ErrorBody })
  list(@Query() query: ListCitiesQuery): Promise<City[]> {
    return this.#cities.list(query);
  }

  @Get('near')
  @ApiOperation({ summary: 'Cities around a point, nearest first' })
  @ApiOkResponse({ type: [NearbyCity] })
  near(@Query() query: NearQuery): Promise<NearbyCity[]> {
    return this.#cities.near(query);
  }

  @Get(':id')
  // Clients ask each time, and are told 304 for as long as nothing has changed: an update reaches them at once.
  @HttpCache({
    stale: '1h',
    // Asked before the pipes have checked the parameter: what is no number finds no city to be tagged.
    tags: ({ params }) => [cityTags.city(Number(params['id']) || 0)],
    cacheControl: 'revalidate',
  })
  @ApiOperation({ summary: 'One city' })
  @ApiOkResponse({ type: City })
  @ApiNotFoundResponse({ type: ErrorBody })
  findOne(@Param('id', ParseIntPipe) id: number): Promise<City> {
    return this.#cities.findOne(id);
  }

  @Patch(':id')
  @ApiOperation({ summary: 'Tell a new number of inhabitants' })
  @ApiOkResponse({ type: City })
  @ApiNotFoundResponse({ type: ErrorBody })
  update(@Param('id', ParseIntPipe) id: number, @Body() update: CityUpdate): Promise<City> {
    return this.#updates.update(id, update);
  }
}
