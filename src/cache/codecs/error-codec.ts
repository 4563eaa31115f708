import { types } from 'node:util';
import { HttpException } from '@nestjs/common';

/** An error of a factory that was cached, and is thrown again: with the name and the message of the original, and nothing else of it. */
export class CachedError extends Error {
  constructor(name: string, message: string) {
    super(message);
    this.name = name;
  }
}

interface ErrorRecord {
  readonly name: string;
  readonly message: string;
  /** Of a HttpException. */
  readonly status?: number;
  /** Undefined where an Error stands for it: Nest answers with the standard text of the status then. */
  readonly response?: string | object;
}

/**
 * An error as text that a codec can encode: its name and message; of a HttpException also the status and the response. Never its stack,
 * its cause or other fields: they may hold what nobody meant to store.
 *
 * @throws anything for a response that JSON cannot express
 */
export function errorToText(error: unknown): string {
  if (error instanceof HttpException) return JSON.stringify(httpRecordOf(error));
  if (types.isNativeError(error) || error instanceof Error) return JSON.stringify(recordOf(error));
  const message = typeof error === 'string' ? error : 'Something was thrown that is no Error';
  return JSON.stringify({ name: 'Error', message } satisfies ErrorRecord);
}

/**
 * A HttpException of the same status and response, or a {@link CachedError}.
 *
 * @throws TypeError for text that is none of {@link errorToText}
 */
export function errorFromText(text: unknown): Error {
  const record = typeof text === 'string' ? (JSON.parse(text) as unknown) : undefined;
  if (!isErrorRecord(record)) throw new TypeError('Not an error that was cached');
  const { name, message, status, response } = record;
  if (status === undefined) return new CachedError(name, message);
  const exception = new HttpException(response ?? new CachedError(name, message), status);
  return Object.assign(exception, { name, message });
}

/** Both may be anything at run time. */
function recordOf({ name, message }: { name: unknown; message: unknown }): ErrorRecord {
  return { name: String(name), message: String(message) };
}

function httpRecordOf(exception: HttpException): ErrorRecord {
  const record = { ...recordOf(exception), status: exception.getStatus() };
  const response = exception.getResponse();
  return response instanceof Error ? record : { ...record, response };
}

function isErrorRecord(value: unknown): value is ErrorRecord {
  if (typeof value !== 'object' || value === null) return false;
  const { name, message, status, response } = value as Partial<Record<keyof ErrorRecord, unknown>>;
  if (typeof name !== 'string' || typeof message !== 'string') return false;
  if (response !== undefined && typeof response !== 'string' && (typeof response !== 'object' || !response))
    return false;
  return status === undefined || Number.isInteger(status);
}
