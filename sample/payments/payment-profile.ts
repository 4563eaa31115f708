import { ApiProperty } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import {
  IsCreditCard,
  IsDefined,
  IsString,
  Length,
  Matches,
  MaxLength,
  ValidateNested,
} from 'class-validator';
import { Encrypted } from 'rednest';
import { digitsOf } from './card-number.js';

export class BillingAddress {
  @ApiProperty({ example: 'Bahnhofstrasse 1' })
  @IsString()
  @Length(1, 128)
  street!: string;

  @ApiProperty({ example: '8001' })
  @IsString()
  @Length(1, 16)
  postcode!: string;

  @ApiProperty({ example: 'Zürich' })
  @IsString()
  @Length(1, 64)
  city!: string;

  @ApiProperty({ example: 'CH', description: 'ISO 3166-1 alpha-2.' })
  @Matches(/^[A-Z]{2}$/, { message: '$property is two capital letters, as in ISO 3166' })
  country!: string;
}

/**
 * How somebody pays: what comes in a request, and what is kept in Redis. There the holder and the month can be read, and the card number and
 * the address cannot. By the index, which is made of the digits alone, the profiles of a card are found without decrypting any.
 */
export class PaymentProfile {
  @ApiProperty({ example: 'Alice Keller' })
  @IsString()
  @Length(1, 64)
  holder!: string;

  @ApiProperty({ example: '4111 1111 1111 1111', description: 'With or without spaces and dashes.' })
  @Encrypted({ index: digitsOf })
  @IsCreditCard()
  @MaxLength(32)
  cardNumber!: string;

  @ApiProperty({ example: '2030-12', description: 'The last month in which the card is valid.' })
  @Matches(/^20\d\d-(?:0[1-9]|1[0-2])$/, { message: '$property is a month, such as 2030-12' })
  expires!: string;

  @ApiProperty({ type: BillingAddress })
  @Encrypted()
  @IsDefined()
  @ValidateNested()
  @Type(() => BillingAddress)
  billingAddress!: BillingAddress;
}
