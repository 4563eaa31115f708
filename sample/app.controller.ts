import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiProperty } from '@nestjs/swagger';
import { withFallback } from 'rednest';
import { CitiesService } from './cities/cities.service.js';

export class Welcome {
  @ApiProperty({ example: 135_233, type: Number, nullable: true, description: 'null while Redis is away.' })
  cities!: number | null;

  @ApiProperty({ example: '/docs', description: 'Where the API is described.' })
  docs!: string;
}

@Controller()
export class AppController {
  readonly #cities: CitiesService;

  constructor(cities: CitiesService) {
    this.#cities = cities;
  }

  @Get()
  @ApiOperation({ summary: 'What there is' })
  @ApiOkResponse({ type: Welcome })
  async welcome(): Promise<Welcome> {
    // A figure that the page can do without is no reason for it to fail.
    return { cities: await withFallback(() => this.#cities.count(), null), docs: '/docs' };
  }
}
