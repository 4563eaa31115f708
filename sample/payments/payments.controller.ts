import { Body, Controller, Delete, Get, HttpCode, HttpStatus, Param, Post, Put } from '@nestjs/common';
import {
  ApiBadRequestResponse,
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiNotFoundResponse,
  ApiOkResponse,
  ApiOperation,
  ApiResponse,
  ApiServiceUnavailableResponse,
  ApiTags,
} from '@nestjs/swagger';
import { ErrorBody } from '../common/error.dto.js';
import { PaymentProfile } from './payment-profile.js';
import { MaskedProfile, ProfileParams, SearchBody } from './payments.dto.js';
import { PaymentsService } from './payments.service.js';

const BUSY = {
  status: HttpStatus.LOCKED,
  type: ErrorBody,
  description: 'Others kept changing the same profile: `Retry-After` tells when to come back.',
};

@ApiTags('payments')
@ApiBadRequestResponse({ type: ErrorBody, description: 'What is not valid is named, and never repeated.' })
@ApiServiceUnavailableResponse({ type: ErrorBody, description: 'Redis is away.' })
@Controller('payments/profiles')
export class PaymentsController {
  readonly #payments: PaymentsService;

  constructor(payments: PaymentsService) {
    this.#payments = payments;
  }

  @Post()
  @ApiOperation({ summary: 'Keep a card' })
  @ApiCreatedResponse({ type: MaskedProfile })
  create(@Body() profile: PaymentProfile): Promise<MaskedProfile> {
    return this.#payments.create(profile);
  }

  /**
   * A search is a POST, since a card number must not stand in a URL: a proxy, an access log, the history of a browser and the header `Referer`
   * keep those, in plain text. A body they do not keep.
   */
  @Post('search')
  @HttpCode(HttpStatus.OK)
  @ApiOperation({ summary: 'The profiles with a card' })
  @ApiOkResponse({ type: [MaskedProfile] })
  search(@Body() { cardNumber }: SearchBody): Promise<MaskedProfile[]> {
    return this.#payments.search(cardNumber);
  }

  @Get(':id')
  @ApiOperation({ summary: 'One profile' })
  @ApiOkResponse({ type: MaskedProfile })
  @ApiNotFoundResponse({ type: ErrorBody })
  findOne(@Param() { id }: ProfileParams): Promise<MaskedProfile> {
    return this.#payments.findOne(id);
  }

  @Put(':id')
  @ApiOperation({ summary: 'Replace a profile: another card, or another address' })
  @ApiOkResponse({ type: MaskedProfile })
  @ApiNotFoundResponse({ type: ErrorBody })
  @ApiResponse(BUSY)
  replace(@Param() { id }: ProfileParams, @Body() profile: PaymentProfile): Promise<MaskedProfile> {
    return this.#payments.replace(id, profile);
  }

  @Delete(':id')
  @HttpCode(HttpStatus.NO_CONTENT)
  @ApiOperation({ summary: 'Forget a profile' })
  @ApiNoContentResponse()
  @ApiNotFoundResponse({ type: ErrorBody })
  @ApiResponse(BUSY)
  remove(@Param() { id }: ProfileParams): Promise<void> {
    return this.#payments.remove(id);
  }
}
