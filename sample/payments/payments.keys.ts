/** What is held by who changes a payment profile. The keys of the profiles themselves are those of the records: `atlas:secure:payment-profile:<id>`. */
export const profileLock = (id: string): string => `payment-profile:${id}`;
