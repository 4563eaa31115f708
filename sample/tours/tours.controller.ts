import { Body, Controller, Delete, Get, HttpCode, HttpStatus, Param, Post } from '@nestjs/common';
import {
  ApiBadRequestResponse,
  ApiConflictResponse,
  ApiCreatedResponse,
  ApiNotFoundResponse,
  ApiOkResponse,
  ApiOperation,
  ApiResponse,
  ApiServiceUnavailableResponse,
  ApiTags,
} from '@nestjs/swagger';
import { ErrorBody } from '../common/error.dto.js';
import { ToursNightly } from './tours-nightly.service.js';
import { Booking, BookingBody, BookingParams, NightlyRun, Tour, TourParams } from './tours.dto.js';
import { ToursService } from './tours.service.js';

const BUSY = {
  status: HttpStatus.LOCKED,
  type: ErrorBody,
  description: 'Others kept changing the same tour: `Retry-After` tells when to come back.',
};

@ApiTags('tours')
@ApiServiceUnavailableResponse({ type: ErrorBody, description: 'Redis is away.' })
@Controller('tours')
export class ToursController {
  readonly #tours: ToursService;
  readonly #nightly: ToursNightly;

  constructor(tours: ToursService, nightly: ToursNightly) {
    this.#tours = tours;
    this.#nightly = nightly;
  }

  @Get()
  @ApiOperation({ summary: 'All tours, the next date first' })
  @ApiOkResponse({ type: [Tour] })
  findAll(): Promise<Tour[]> {
    return this.#tours.findAll();
  }

  @Post('nightly')
  @HttpCode(HttpStatus.OK)
  @ApiOperation({ summary: 'Do now what is done at night: tours that have taken place get their next date' })
  @ApiOkResponse({ type: NightlyRun })
  async nightly(): Promise<NightlyRun> {
    const moved = await this.#nightly.run();
    return { ran: moved !== undefined, moved: moved ?? 0 };
  }

  @Get(':id')
  @ApiOperation({ summary: 'One tour' })
  @ApiOkResponse({ type: Tour })
  @ApiBadRequestResponse({ type: ErrorBody })
  @ApiNotFoundResponse({ type: ErrorBody })
  findOne(@Param() { id }: TourParams): Promise<Tour> {
    return this.#tours.findOne(id);
  }

  @Post(':id/bookings')
  @ApiOperation({ summary: 'Book places, or change the number of those that a guest has' })
  @ApiCreatedResponse({ type: Booking })
  @ApiBadRequestResponse({ type: ErrorBody })
  @ApiNotFoundResponse({ type: ErrorBody })
  @ApiConflictResponse({ type: ErrorBody, description: 'Not as many places are left.' })
  @ApiResponse(BUSY)
  book(@Param() { id }: TourParams, @Body() { guest, places }: BookingBody): Promise<Booking> {
    return this.#tours.book(id, { guest, places });
  }

  @Delete(':id/bookings/:guest')
  @ApiOperation({ summary: 'Give back the places of a guest' })
  @ApiOkResponse({ type: Tour })
  @ApiBadRequestResponse({ type: ErrorBody })
  @ApiNotFoundResponse({ type: ErrorBody, description: 'There is no such tour, or no such booking.' })
  @ApiResponse(BUSY)
  cancel(@Param() { id, guest }: BookingParams): Promise<Tour> {
    return this.#tours.cancel(id, guest);
  }
}
