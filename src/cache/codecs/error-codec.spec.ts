import { describe, expect, it } from '@jest/globals';
import { BadRequestException, HttpException, ImATeapotException, NotFoundException } from '@nestjs/common';
import * as fc from 'fast-check';
import { CachedError, errorFromText, errorToText } from './error-codec.js';

function roundTrip(error: unknown): Error {
  return errorFromText(errorToText(error));
}

describe('errors as text', () => {
  it('keeps the name and the message, and nothing else', () => {
    const cause = new Error('password=hunter2');
    const error = Object.assign(new RangeError('too far', { cause }), { secret: 'hunter2' });
    expect(errorToText(error)).toBe('{"name":"RangeError","message":"too far"}');
    const revived = roundTrip(error);
    expect(revived).toBeInstanceOf(CachedError);
    expect(revived).toMatchObject({ name: 'RangeError', message: 'too far' });
    expect(revived.cause).toBeUndefined();
  });

  it.each([
    new NotFoundException('no such city'),
    new BadRequestException(['name is empty', 'zip is too long']),
    new ImATeapotException(),
    new HttpException('slow down', 429),
    new HttpException({ message: 'odd', hint: { retry: true } }, 418, { cause: new Error('hidden') }),
  ])('gives %p back with its status and response', (exception) => {
    const revived = roundTrip(exception) as HttpException;
    expect(revived).toBeInstanceOf(HttpException);
    expect(revived.getStatus()).toBe(exception.getStatus());
    expect(revived.getResponse()).toStrictEqual(exception.getResponse());
    expect(revived).toMatchObject({ name: exception.name, message: exception.message });
    expect(revived.cause).toBeUndefined();
  });

  it('keeps the message of an exception whose response is an Error to itself', () => {
    const exception = new HttpException(new Error('the disk is full') as never, 500);
    expect(errorToText(exception)).not.toContain('stack');
    const revived = roundTrip(exception) as HttpException;
    expect(revived.getStatus()).toBe(500);
    expect(revived.message).toBe(exception.message);
    expect(revived.getResponse()).toBeInstanceOf(Error);
  });

  it('makes an Error of whatever was thrown', () => {
    expect(roundTrip('no luck')).toMatchObject({ name: 'Error', message: 'no luck' });
    fc.assert(
      fc.property(fc.anything(), (thrown) => {
        expect(roundTrip(thrown)).toBeInstanceOf(Error);
      }),
    );
  });

  it.each([
    [undefined],
    [5],
    ['{'],
    ['null'],
    ['{"name":"Error"}'],
    ['{"name":"a","message":"b","status":"c"}'],
  ])('throws for %p', (text) => {
    expect(() => errorFromText(text)).toThrow();
  });
});
