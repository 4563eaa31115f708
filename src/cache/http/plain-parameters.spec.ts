import 'reflect-metadata';
import { describe, expect, it } from '@jest/globals';
import {
  Body,
  createParamDecorator,
  DefaultValuePipe,
  Get,
  Headers,
  Ip,
  Param,
  ParseIntPipe,
  Query,
  Req,
  Res,
  UsePipes,
  ValidationPipe,
  type PipeTransform,
} from '@nestjs/common';
import { hasPlainParameters } from './plain-parameters.js';

class FindInDatabase implements PipeTransform {
  transform(value: unknown): unknown {
    return value;
  }
}

class Search {
  readonly text = '';
}

const CurrentUser = createParamDecorator(() => 'ann');

class Handlers {
  @Get()
  nothing(): void {}
  request(@Req() _request: object, @Headers('host') _host: string, @Ip() _ip: string): void {}
  response(@Res() _response: object): void {}
  text(@Param('id') _id: string, @Query() _query: Record<string, string>): void {}
  parsed(
    @Param('id', ParseIntPipe) _id: number,
    @Query('page', new DefaultValuePipe(1)) _page: number,
  ): void {}
  optional(@Query('page') _page = 1): void {}
  found(@Param('id', FindInDatabase) _id: number): void {}
  validated(@Query() _search: Search): void {}
  body(@Body() _body: object): void {}
  custom(@CurrentUser() _user: string): void {}
  @UsePipes(FindInDatabase)
  foundBefore(@Param('id') _id: string): void {}
  @UsePipes(new ValidationPipe())
  checked(@Param('id') _id: string): void {}
  preset(@Param('id') _id: string, _depth = 1): void {}
  rest(@Param('id') _id: string, ..._rest: unknown[]): void {}
  untyped(): void {}
  undecorated(@Param('id') _id: string, _payload: unknown): void {}
}

describe('hasPlainParameters', () => {
  it.each([
    ['nothing', true],
    ['request', true],
    ['response', true],
    ['text', true],
    ['parsed', true],
    ['optional', true],
    ['found', false],
    ['validated', false],
    ['body', false],
    ['custom', false],
    ['foundBefore', false],
    ['checked', true],
    ['preset', false],
    ['rest', false],
    ['untyped', false],
    ['undecorated', false],
  ] as const)('knows of %s: %s', (name, isPlain) => {
    expect(hasPlainParameters(Handlers.prototype, name)).toBe(isPlain);
  });
});
