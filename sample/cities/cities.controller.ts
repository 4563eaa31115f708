import { Controller, Get, Param, ParseIntPipe, Query } from '@nestjs/common';
import {
  ApiBadRequestResponse,
  ApiNotFoundResponse,
  ApiOkResponse,
  ApiOperation,
  ApiServiceUnavailableResponse,
  ApiTags,
} from '@nestjs/swagger';
import { ErrorBody } from '../common/error.dto.js';
import { ListCitiesQuery, NearQuery } from './cities.queries.js';
import { CitiesService } from './cities.service.js';
import { City, NearbyCity } from './city.dto.js';

@ApiTags('cities')
@ApiBadRequestResponse({ type: ErrorBody })
@ApiServiceUnavailableResponse({ type: ErrorBody, description: 'Redis is away.' })
@Controller('cities')
export class CitiesController {
  readonly #cities: CitiesService;

  constructor(cities: CitiesService) {
    this.#cities = cities;
  }

  @Get()
  @ApiOperation({ summary: 'Search by name, or list; most populous first' })
  @ApiOkResponse({ type: [City] })
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
  @ApiOperation({ summary: 'One city' })
  @ApiOkResponse({ type: City })
  @ApiNotFoundResponse({ type: ErrorBody })
  findOne(@Param('id', ParseIntPipe) id: number): Promise<City> {
    return this.#cities.findOne(id);
  }
}
