import { applyDecorators } from '@nestjs/common';
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { ArrayMaxSize, ArrayNotEmpty, IsArray, IsOptional, Matches } from 'class-validator';
import { Limit } from '../../common/limit.js';

const TAG = /^[\p{L}\p{N}][\p{L}\p{N}_-]{0,31}$/u;
const TAG_RULE = {
  each: true,
  message: 'each tag is 1 to 32 letters, digits, - or _, and begins with a letter or digit',
};
const MAX_TAGS = 20;

export class TagsBody {
  @ApiProperty({
    example: ['lake', 'old-town'],
    description: 'All tags that the city has from now on.',
    maxItems: MAX_TAGS,
  })
  @Transform(({ value }: { value: unknown }) => (Array.isArray(value) ? value.map(normalise) : value))
  @IsArray()
  @ArrayMaxSize(MAX_TAGS)
  @Matches(TAG, TAG_RULE)
  tags!: string[];
}

export class CityTags {
  @ApiProperty({ example: 2657896 })
  id!: number;

  @ApiProperty({ example: ['lake', 'old-town'], description: 'In alphabetical order.' })
  tags!: string[];
}

/** Cities that have all of some tags, any of others, and none of yet others. */
export class TaggedQuery {
  @ApiPropertyOptional({
    type: String,
    example: 'lake,old-town',
    description: 'Tags that a city has all of, parted by commas.',
  })
  @TagList()
  all?: string[];

  @ApiPropertyOptional({
    type: String,
    example: 'airport,harbour',
    description: 'Tags that a city has at least one of.',
  })
  @TagList()
  any?: string[];

  @ApiPropertyOptional({ type: String, example: 'noisy', description: 'Tags that a city has none of.' })
  @TagList()
  none?: string[];

  @Limit({ maximum: 100, byDefault: 20 })
  limit = 20;
}

/** A query parameter that lists tags: `lake,old-town`. */
function TagList(): PropertyDecorator {
  return applyDecorators(
    Transform(({ value }: { value: unknown }) =>
      typeof value === 'string' ? value.split(',').map(normalise) : value,
    ),
    IsOptional(),
    IsArray(),
    ArrayNotEmpty(),
    ArrayMaxSize(MAX_TAGS),
    Matches(TAG, TAG_RULE),
  );
}

function normalise(tag: unknown): unknown {
  return typeof tag === 'string' ? tag.trim().normalize('NFC').toLowerCase() : tag;
}
