import { BadRequestException, Catch, Inject, type ArgumentsHost } from '@nestjs/common';
import { BaseExceptionFilter, HttpAdapterHost } from '@nestjs/core';

/** Says that a body is no JSON, as the parser does, but without the part of it that the parser shows: there may be a card number in it. */
@Catch(BadRequestException)
export class MalformedBodyFilter extends BaseExceptionFilter {
  constructor(@Inject(HttpAdapterHost) adapterHost: HttpAdapterHost) {
    super(adapterHost.httpAdapter);
  }

  override catch(exception: BadRequestException, host: ArgumentsHost): void {
    super.catch(
      isOfParser(exception) ? new BadRequestException('The body is not valid JSON') : exception,
      host,
    );
  }
}

/** By its message, which is all that Nest 11 leaves of the error of the parser; where a pipe refuses properties, they are in a list beside it. */
function isOfParser({ message }: BadRequestException): boolean {
  return / JSON\b/.test(message);
}
