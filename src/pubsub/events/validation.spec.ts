import 'reflect-metadata';
import { describe, expect, it } from '@jest/globals';
import { Type } from 'class-transformer';
import {
  IsArray,
  IsDefined,
  IsIn,
  IsInt,
  IsNumber,
  IsOptional,
  IsString,
  MaxLength,
  Min,
  registerDecorator,
  Validate,
  ValidateIf,
  ValidateNested,
  validateSync,
  ValidatorConstraint,
  type ValidationArguments,
  type ValidatorOptions,
} from 'class-validator';
import * as fc from 'fast-check';
import { Validation } from './validation.js';

@ValidatorConstraint({ name: 'isEven' })
class IsEven {
  validate(value: unknown, { object, property, constraints }: ValidationArguments): boolean {
    return typeof value === 'number' && value % 2 === 0 && property in object && constraints[0] === 'x';
  }
}

class Base {
  @IsInt()
  @Min(0)
  id!: unknown;

  @IsString({ groups: ['text'] })
  grouped!: unknown;
}

class Everything extends Base {
  @Min(3, { always: true })
  declare id: unknown;

  @IsOptional()
  @IsString()
  @MaxLength(3)
  text?: unknown;

  @IsArray()
  @IsNumber({}, { each: true })
  list!: unknown;

  @ValidateIf((event: Everything) => event.text === 'a')
  @IsDefined()
  @IsIn([1, 2, null])
  asked!: unknown;

  @Validate(IsEven, ['x'], { validateIf: (event: Everything) => event.text !== 'b' })
  even!: unknown;
}

class Holder {
  @ValidateNested()
  @Type(() => Base)
  base!: unknown;
}

const values = fc.oneof(
  fc.constantFrom<unknown>(undefined, null, 'a', 'b', 'abcd', 0, 1, 2, 4, 1.5, true, [], [1], [1, 'a']),
  fc.constant(new Set([1])),
);
const names = ['id', 'grouped', 'text', 'list', 'asked', 'even', 'unknown'] as const;
const event = fc.record(Object.fromEntries(names.map((name) => [name, values])), { requiredKeys: [] });

const everyOption: ValidatorOptions[] = [
  {},
  { skipMissingProperties: true },
  { skipUndefinedProperties: true, stopAtFirstError: true },
  { groups: ['text'] },
  { groups: ['other'], always: true },
  { strictGroups: true },
  { whitelist: true, forbidNonWhitelisted: true },
  { forbidUnknownValues: true },
];

describe('Validation', () => {
  it.each(everyOption)('finds what validateSync finds, with %p', (options) => {
    const validation = new Validation(options);
    const check = (properties: object): void => {
      const instance = Object.assign(new Everything(), properties);
      const errors = validateSync(instance, { forbidUnknownValues: false, ...options });
      const expected = errors.flatMap(({ property, constraints }) =>
        Object.values(constraints ?? {}).map((message) => ({ property, message })),
      );
      expect(validation.problemsOf(instance)).toEqual(expected);
    };
    fc.assert(fc.property(event, check), { numRuns: 200 });
  });

  it('looks into what is nested', () => {
    const validation = new Validation({});
    const holder = (base: unknown): Holder => Object.assign(new Holder(), { base });
    const base = (id: unknown): Base => Object.assign(new Base(), { id, grouped: '' });
    expect(validation.problemsOf(holder(base(1)))).toEqual([]);
    expect(validation.problemsOf(holder(base(-1)))).toMatchObject([{ property: 'base.id' }]);
    expect(validation.problemsOf(holder(5))).toMatchObject([{ property: 'base' }]);
  });

  it('never throws', () => {
    class Thrower {
      @ValidateIf(() => {
        throw new Error('broken');
      })
      a!: unknown;
    }
    const problems = new Validation({}).problemsOf(new Thrower());
    expect(problems).toMatchObject([{ property: '', message: expect.stringContaining('broken') }]);
    expect(new Validation({}).problemsOf(Object.create(null) as object)).toHaveLength(1);
  });

  it('does not take a promise for an answer', () => {
    class Promising {
      a = 1;
    }
    let asked = 0;
    const validate = (): Promise<boolean> => {
      asked++;
      return Promise.resolve(true);
    };
    registerDecorator({ target: Promising, propertyName: 'a', validator: { validate } });
    new Validation({}).problemsOf(new Promising());
    expect(asked).toBe(2);
  });
});
