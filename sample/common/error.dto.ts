import { ApiProperty } from '@nestjs/swagger';

/** The body of every error, as Nest writes it. */
export class ErrorBody {
  @ApiProperty({ example: 404 })
  statusCode!: number;

  @ApiProperty({
    oneOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }],
    example: 'There is no city 1',
    description: 'What went wrong; a list where several properties are not valid.',
  })
  message!: string | string[];

  @ApiProperty({ example: 'Not Found', required: false })
  error?: string;
}
