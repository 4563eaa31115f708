import { applyDecorators } from '@nestjs/common';
import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsInt, Max, Min } from 'class-validator';
import { ToNumber } from './to-number.js';

/** A query parameter that says how many items are wanted: from 1 to `maximum`. Its default is the property's own. */
export function Limit({ maximum, byDefault }: { maximum: number; byDefault: number }): PropertyDecorator {
  return applyDecorators(
    ApiPropertyOptional({ type: Number, minimum: 1, maximum, default: byDefault }),
    ToNumber(),
    IsInt(),
    Min(1),
    Max(maximum),
  );
}
