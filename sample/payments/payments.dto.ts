import { ApiProperty } from '@nestjs/swagger';
import { IsCreditCard, IsUUID, MaxLength } from 'class-validator';
import { BillingAddress } from './payment-profile.js';

export class ProfileParams {
  @ApiProperty({ example: '0b2f9a52-6f0e-4f6e-9d0c-2f0f4f0c7a11' })
  @IsUUID('4')
  id!: string;
}

export class SearchBody {
  @ApiProperty({ example: '4111-1111-1111-1111', description: 'With or without spaces and dashes.' })
  @IsCreditCard()
  @MaxLength(32)
  cardNumber!: string;
}

/** A payment profile as it is shown. */
export class MaskedProfile {
  @ApiProperty({ example: '0b2f9a52-6f0e-4f6e-9d0c-2f0f4f0c7a11' })
  id!: string;

  @ApiProperty({ example: 'Alice Keller' })
  holder!: string;

  @ApiProperty({ example: '**** **** **** 1111', description: 'Never more than the last four digits.' })
  cardNumber!: string;

  @ApiProperty({ example: '2030-12' })
  expires!: string;

  @ApiProperty({ type: BillingAddress })
  billingAddress!: BillingAddress;
}
