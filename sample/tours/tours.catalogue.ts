/** A tour that is given again and again. */
export interface CatalogueTour {
  id: string;
  title: string;
  /** The city, by the number that GeoNames gives it. */
  cityId: number;
  city: string;
  /** Places on one date. */
  places: number;
  /** From one date to the next, in days. */
  everyDays: number;
}

/** What Atlas offers. When each tour is given next, and who has booked, stands in Redis. */
export const catalogue: readonly CatalogueTour[] = [
  {
    id: 'zurich-old-town',
    title: 'The old town and the lake',
    cityId: 2657896,
    city: 'Zürich',
    places: 20,
    everyDays: 1,
  },
  {
    id: 'vaduz-castle',
    title: 'Up to the castle',
    cityId: 3042030,
    city: 'Vaduz',
    places: 8,
    everyDays: 7,
  },
  {
    id: 'lisbon-tram-28',
    title: 'Along the line of tram 28',
    cityId: 2267057,
    city: 'Lisbon',
    places: 12,
    everyDays: 2,
  },
  {
    id: 'kyoto-temples',
    title: 'Temples before breakfast',
    cityId: 1857910,
    city: 'Kyoto',
    places: 10,
    everyDays: 3,
  },
];
