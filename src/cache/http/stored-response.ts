import { hash } from 'node:crypto';
import { types } from 'node:util';

/** Headers that a response carries over to those who get it from the cache, by lower-case name. */
export type StoredHeaders = Readonly<Record<string, string | readonly string[]>>;

/** A response as it is stored: what was sent, to the byte. */
export interface StoredResponse {
  /** Version of this format. */
  readonly v: 1;
  readonly status: number;
  readonly headers: StoredHeaders;
  readonly etag: string;
  /** Request headers that the handler itself named in `Vary`. */
  readonly vary: readonly string[];
  readonly body: Buffer;
}

/** Instead of a response, for those who wait for one: it cannot be stored, and everybody has to make it for himself. */
export const NOT_STORED = { v: 1, notStored: true } as const;

/** Instead of a response: the client whose request made it is gone, and somebody else has to. */
export const ABANDONED = { v: 1, abandoned: true } as const;

/** A weak entity tag (RFC 9110, 8.8.1) of these bytes, as Express makes them: middleware may send others for the same, compressed. */
export function entityTag(body: Buffer): string {
  return `W/"${hash('sha256', body, 'base64url').slice(0, 27)}"`;
}

/** Whether those who waited may try to make the response again, one for all. */
export function isAbandoned(value: unknown): boolean {
  return isRecord(value) && value['abandoned'] === true;
}

/**
 * The response that a cached value is, or undefined for anything else: a marker, or what another version or somebody else has stored. A
 * codec or a clone may have made something else of the body than a Buffer.
 */
export function asStoredResponse(value: unknown): StoredResponse | undefined {
  if (!isRecord(value) || value['v'] !== 1 || typeof value['status'] !== 'number') return undefined;
  const response = value as unknown as StoredResponse;
  if (Buffer.isBuffer(response.body)) return response;
  const body = asBuffer(response.body);
  return body && { ...response, body };
}

function asBuffer(body: unknown): Buffer | undefined {
  if (types.isUint8Array(body)) return Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const isJsonOfBuffer = isRecord(body) && body['type'] === 'Buffer' && Array.isArray(body['data']);
  return isJsonOfBuffer ? Buffer.from(body['data'] as number[]) : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
