import { Body, Controller, Get, HttpCode, HttpStatus, Param, Post, Put, Query } from '@nestjs/common';
import {
  ApiBadRequestResponse,
  ApiConflictResponse,
  ApiNotFoundResponse,
  ApiOkResponse,
  ApiOperation,
  ApiServiceUnavailableResponse,
  ApiTags,
} from '@nestjs/swagger';
import { ErrorBody } from '../common/error.dto.js';
import {
  Account,
  AccountParams,
  BalanceBody,
  TransferBody,
  Transferred,
  TransferQuery,
} from './accounts.dto.js';
import { AccountsService } from './accounts.service.js';

@ApiTags('accounts')
@ApiBadRequestResponse({ type: ErrorBody })
@ApiServiceUnavailableResponse({
  type: ErrorBody,
  description: 'Redis is away, or others changed the same accounts.',
})
@Controller('accounts')
export class AccountsController {
  readonly #accounts: AccountsService;

  constructor(accounts: AccountsService) {
    this.#accounts = accounts;
  }

  @Put(':id')
  @ApiOperation({ summary: 'Open an account, or set its balance' })
  @ApiOkResponse({ type: Account })
  save(@Param() { id }: AccountParams, @Body() { balance }: BalanceBody): Promise<Account> {
    return this.#accounts.save({ id, balance });
  }

  @Get(':id')
  @ApiOperation({ summary: 'One account' })
  @ApiOkResponse({ type: Account })
  @ApiNotFoundResponse({ type: ErrorBody })
  findOne(@Param() { id }: AccountParams): Promise<Account> {
    return this.#accounts.findOne(id);
  }

  @Post('transfer')
  @HttpCode(HttpStatus.OK)
  @ApiOperation({ summary: 'Move money from one account to another' })
  @ApiOkResponse({ type: Transferred })
  @ApiNotFoundResponse({ type: ErrorBody, description: 'One of the accounts does not exist.' })
  @ApiConflictResponse({ type: ErrorBody, description: 'The balance is too small.' })
  transfer(@Query() { via }: TransferQuery, @Body() body: TransferBody): Promise<Transferred> {
    return this.#accounts.transfer(body, via);
  }
}
