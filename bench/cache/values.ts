/** About 300 bytes of JSON: a row as an application caches it. */
export function cityOf(index: number): unknown {
  return {
    id: index,
    name: `City ${index}`,
    country: 'PT',
    region: 'Lisboa',
    location: { latitude: 38.71667 + index / 1_000, longitude: -9.13333 },
    population: 517_802 + index,
    timezone: 'Europe/Lisbon',
    alternateNames: ['Lisbon', 'Lisbonne', 'Lissabon', 'Lisboa', 'Olisipo'],
    updatedAt: '2024-05-17T09:24:31.000Z',
    capital: index % 10 === 0,
  };
}

export function keysOf(count: number, prefix = 'city'): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}:${index}`);
}
