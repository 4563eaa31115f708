/** What is published: about 180 bytes of JSON. */
export interface View {
  readonly city: number;
  readonly name: string;
  readonly country: string;
  readonly path: string;
  readonly visitor: string;
  /** What handlers add up: always 1. */
  readonly count: number;
  /** When it was published, by {@link clock}. */
  readonly sentAt: number;
}

export function viewOf(index: number): View {
  return {
    city: 2_950_000 + (index % 10_000),
    name: 'Frankfurt (Oder)',
    country: 'DE',
    path: '/cities/2950159?units=metric',
    visitor: '0b9c7a52-6a1f-4c1e-9d0a-0c5f2f6f5f11',
    count: 1,
    sentAt: clock(),
  };
}

/** Whole microseconds of the machine's monotonic clock, which its processes share. */
export function clock(): number {
  return Number(process.hrtime.bigint() / 1_000n);
}
