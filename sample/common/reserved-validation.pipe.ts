import { ValidationPipe, type ValidationError } from '@nestjs/common';

/** A name that a property may have by mistake, and that can be repeated: no number is one. */
const NAME = /^[A-Za-z]{1,32}$/;

/**
 * Nest's pipe with the rules of Atlas. Its messages repeat nothing that was sent: those of class-validator tell of the property and the rule
 * alone, and of a property that is not known it is told only where it has a name. Clients log answers, and what they sent may be a card number.
 */
export class ReservedValidationPipe extends ValidationPipe {
  constructor() {
    super({ whitelist: true, transform: true, forbidNonWhitelisted: true });
  }

  protected override flattenValidationErrors(errors: ValidationError[]): string[] {
    return super.flattenValidationErrors(errors.map(withoutUnknownName));
  }
}

function withoutUnknownName(error: ValidationError): ValidationError {
  const children = error.children?.map(withoutUnknownName) ?? [];
  if (!error.constraints?.['whitelistValidation'] || NAME.test(error.property)) return { ...error, children };
  const whitelistValidation = 'there is a property that should not exist';
  return { ...error, children, constraints: { ...error.constraints, whitelistValidation } };
}
