import { promisify } from 'node:util';
import {
  Body,
  Controller,
  Delete,
  Get,
  HttpCode,
  HttpStatus,
  Put,
  Req,
  Res,
  UnauthorizedException,
  UseGuards,
} from '@nestjs/common';
import {
  ApiBadRequestResponse,
  ApiCookieAuth,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiServiceUnavailableResponse,
  ApiTags,
  ApiTooManyRequestsResponse,
  ApiUnauthorizedResponse,
} from '@nestjs/swagger';
import { minutes, Throttle, ThrottlerGuard } from '@nestjs/throttler';
import type { Request, Response } from 'express';
import { ErrorBody } from '../common/error.dto.js';
import { Credentials, SessionState } from './members.dto.js';
import { MembersService } from './members.service.js';
import { SESSION_COOKIE } from './session-cookie.js';

declare module 'express-session' {
  interface SessionData {
    name: string;
    loggedIn: string;
  }
}

@ApiTags('members')
@ApiServiceUnavailableResponse({ type: ErrorBody, description: 'Redis is away.' })
@Controller('session')
export class SessionController {
  readonly #members: MembersService;

  constructor(members: MembersService) {
    this.#members = members;
  }

  @Put()
  // Whoever guesses passwords gets ten tries, from all replicas together, and has to wait for ten minutes then.
  @UseGuards(ThrottlerGuard)
  @Throttle({ default: { limit: 10, ttl: minutes(1), blockDuration: minutes(10) } })
  @ApiOperation({ summary: 'Log in' })
  @ApiOkResponse({ type: SessionState })
  @ApiBadRequestResponse({ type: ErrorBody })
  @ApiUnauthorizedResponse({ type: ErrorBody })
  @ApiTooManyRequestsResponse({ type: ErrorBody })
  async logIn(@Req() request: Request, @Body() credentials: Credentials): Promise<SessionState> {
    await this.#members.verify(credentials);
    // A new id: one that somebody has foisted on the browser before is not that of the member.
    await promisify(request.session.regenerate.bind(request.session))();
    request.session.name = credentials.name;
    request.session.loggedIn = new Date().toISOString();
    // Saved only when the answer is under way, nobody would hear that it was not.
    await promisify(request.session.save.bind(request.session))();
    return stateOf(request);
  }

  @Get()
  @ApiCookieAuth()
  @ApiOperation({ summary: 'Who is logged in' })
  @ApiOkResponse({ type: SessionState })
  @ApiUnauthorizedResponse({ type: ErrorBody })
  findOne(@Req() request: Request): SessionState {
    return stateOf(request);
  }

  @Delete()
  @HttpCode(HttpStatus.NO_CONTENT)
  @ApiCookieAuth()
  @ApiOperation({ summary: 'Log out, in all replicas' })
  @ApiNoContentResponse()
  async logOut(@Req() request: Request, @Res({ passthrough: true }) response: Response): Promise<void> {
    await promisify(request.session.destroy.bind(request.session))();
    response.clearCookie(SESSION_COOKIE.name, { path: SESSION_COOKIE.path });
  }
}

/** @throws UnauthorizedException where nobody is logged in */
function stateOf({ session }: Request): SessionState {
  const { name, loggedIn, cookie } = session;
  if (name === undefined || loggedIn === undefined) throw new UnauthorizedException('Nobody is logged in');
  return { name, loggedIn, expires: cookie.expires!.toISOString() };
}
