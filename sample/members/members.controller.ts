import { Body, Controller, Post, UseGuards } from '@nestjs/common';
import {
  ApiBadRequestResponse,
  ApiConflictResponse,
  ApiCreatedResponse,
  ApiOperation,
  ApiServiceUnavailableResponse,
  ApiTags,
  ApiTooManyRequestsResponse,
} from '@nestjs/swagger';
import { minutes, Throttle, ThrottlerGuard } from '@nestjs/throttler';
import { ErrorBody } from '../common/error.dto.js';
import { Credentials, Member } from './members.dto.js';
import { MembersService } from './members.service.js';

@ApiTags('members')
@ApiBadRequestResponse({ type: ErrorBody })
@ApiServiceUnavailableResponse({ type: ErrorBody, description: 'Redis is away.' })
@Controller('members')
export class MembersController {
  readonly #members: MembersService;

  constructor(members: MembersService) {
    this.#members = members;
  }

  @Post()
  // Each takes 32 MiB for a moment, and some bytes for good.
  @UseGuards(ThrottlerGuard)
  @Throttle({ default: { limit: 10, ttl: minutes(1) } })
  @ApiOperation({ summary: 'Become a member' })
  @ApiCreatedResponse({ type: Member })
  @ApiConflictResponse({ type: ErrorBody })
  @ApiTooManyRequestsResponse({ type: ErrorBody })
  register(@Body() credentials: Credentials): Promise<Member> {
    return this.#members.register(credentials);
  }
}
