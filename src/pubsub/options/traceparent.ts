/** Version 00 of W3C Trace Context, https://www.w3.org/TR/trace-context/#traceparent-header. Ids of zeros only are none. */
const TRACEPARENT = /^00-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-[\da-f]{2}$/;

/** What a trace context is, for messages. */
export const TRACEPARENT_EXPECTED = 'a W3C traceparent (00-<32 hexadecimal digits>-<16>-<2>)';

/** A trace context; undefined for what is none. */
export function asTraceparent(value: unknown): string | undefined {
  return typeof value === 'string' && TRACEPARENT.test(value) ? value : undefined;
}

/** What the module's function gives, if that is a trace context. An event is not kept back for it, whatever it gives or throws. */
export function currentTraceparent(source: (() => string | undefined) | undefined): string | undefined {
  if (!source) return undefined;
  try {
    return asTraceparent(source());
  } catch {
    return undefined;
  }
}
