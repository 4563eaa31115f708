import { ApiProperty } from '@nestjs/swagger';
import { Length, Matches } from 'class-validator';

const NAME = /^[a-z0-9-]{3,32}$/;
const NAME_RULE = { message: '$property is 3 to 32 small letters, digits or -' };
const PASSWORD_RULE = { message: '$property has 12 to 128 characters' };

export class Credentials {
  @ApiProperty({ example: 'alice' })
  @Matches(NAME, NAME_RULE)
  name!: string;

  @ApiProperty({ example: 'correct horse battery', minLength: 12, maxLength: 128 })
  @Length(12, 128, PASSWORD_RULE)
  password!: string;
}

export class Member {
  @ApiProperty({ example: 'alice' })
  name!: string;

  @ApiProperty({ format: 'date-time' })
  since!: string;
}

/** Who is logged in. */
export class SessionState {
  @ApiProperty({ example: 'alice' })
  name!: string;

  @ApiProperty({ format: 'date-time' })
  loggedIn!: string;

  @ApiProperty({ format: 'date-time', description: 'Half an hour after the last request.' })
  expires!: string;
}
