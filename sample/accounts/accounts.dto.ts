import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsInt, Matches, Max, Min } from 'class-validator';

const ACCOUNT_ID = /^[A-Za-z0-9_-]{1,64}$/;
const ACCOUNT_ID_RULE = { message: '$property is 1 to 64 letters, digits, - or _' };

/** Ten billion in cents: sums of some hundred such accounts are still exact in a number of JavaScript, and of Lua. */
const MAX_CENTS = 1_000_000_000_000;

export class AccountParams {
  @ApiProperty({ example: 'alice' })
  @Matches(ACCOUNT_ID, ACCOUNT_ID_RULE)
  id!: string;
}

export class BalanceBody {
  @ApiProperty({ example: 10_000, minimum: 0, maximum: MAX_CENTS, description: 'In cents.' })
  @IsInt()
  @Min(0)
  @Max(MAX_CENTS)
  balance!: number;
}

export class Account {
  @ApiProperty({ example: 'alice' })
  id!: string;

  @ApiProperty({ example: 10_000, description: 'In cents.' })
  balance!: number;
}

export class TransferBody {
  @ApiProperty({ example: 'alice', description: 'The account that pays.' })
  @Matches(ACCOUNT_ID, ACCOUNT_ID_RULE)
  from!: string;

  @ApiProperty({ example: 'bob', description: 'The account that receives.' })
  @Matches(ACCOUNT_ID, ACCOUNT_ID_RULE)
  to!: string;

  @ApiProperty({ example: 250, minimum: 1, maximum: MAX_CENTS, description: 'In cents.' })
  @IsInt()
  @Min(1)
  @Max(MAX_CENTS)
  amount!: number;
}

export class TransferQuery {
  @ApiPropertyOptional({
    enum: ['watch', 'script'],
    default: 'script',
    description: 'WATCH and MULTI, or a Lua script.',
  })
  @IsIn(['watch', 'script'])
  via: 'watch' | 'script' = 'script';
}

/** Both accounts after the transfer. */
export class Transferred {
  @ApiProperty({ type: Account })
  from!: Account;

  @ApiProperty({ type: Account })
  to!: Account;
}
