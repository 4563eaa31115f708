import { ConflictException, Injectable, NotFoundException } from '@nestjs/common';
import { Locked } from 'rednest';
import { DAY, dateOf } from '../common/date.js';
import { catalogue, type CatalogueTour } from './tours.catalogue.js';
import type { Booking, Tour } from './tours.dto.js';
import { tourLock } from './tours.keys.js';
import { ToursStore, type StoredBooking, type StoredTour } from './tours.store.js';

/** A change takes a few milliseconds. Who is not let in within three seconds is told to come back: 423, with `Retry-After`. */
const CHANGE = { key: tourLock, ttl: '5s', wait: '3s' } as const;

/** Tours with a limited number of places. Of those who change one tour, in whatever replica, each has its turn. */
@Injectable()
export class ToursService {
  readonly #store: ToursStore;

  constructor(store: ToursStore) {
    this.#store = store;
  }

  /** All of the catalogue, the next date first. */
  async findAll(): Promise<Tour[]> {
    const tours = await Promise.all(catalogue.map(({ id }) => this.findOne(id)));
    return tours.toSorted((one, other) => one.date.localeCompare(other.date));
  }

  /** @throws NotFoundException */
  async findOne(id: string): Promise<Tour> {
    return present(offered(id), await this.#read(id));
  }

  /**
   * Books places. A second booking of a guest replaces the first, so that who got no answer may ask again.
   *
   * @throws NotFoundException
   * @throws ConflictException where not as many places are left, or the tour has taken place
   * @throws LockTimeoutError where others kept changing the tour
   */
  @Locked(CHANGE)
  async book(id: string, booking: StoredBooking): Promise<Booking> {
    const tour = offered(id);
    const { date, bookings } = await this.#read(id);
    if (date < dateOf(Date.now())) throw new ConflictException(`Tour ${id} of ${date} has taken place`);
    const others = bookings.filter(({ guest }) => guest !== booking.guest);
    const left = placesLeft(tour, others);
    if (booking.places > left)
      throw new ConflictException(
        left === 0 ? `Tour ${id} is sold out` : `Tour ${id} has ${left} places left`,
      );
    const changed = { date, bookings: [...others, booking] };
    await this.#store.write(id, changed);
    return { ...booking, tour: present(tour, changed) };
  }

  /**
   * @throws NotFoundException there is no such tour, or no booking of the guest
   * @throws LockTimeoutError where others kept changing the tour
   */
  @Locked(CHANGE)
  async cancel(id: string, guest: string): Promise<Tour> {
    const tour = offered(id);
    const { date, bookings } = await this.#read(id);
    const others = bookings.filter((booking) => booking.guest !== guest);
    if (others.length === bookings.length) throw new NotFoundException(`${guest} has not booked tour ${id}`);
    await this.#store.write(id, { date, bookings: others });
    return present(tour, { date, bookings: others });
  }

  /**
   * Gives a tour that has taken place, or never had a date, its next one; the bookings go.
   *
   * @returns whether it did
   */
  @Locked(CHANGE)
  async moveOn(id: string): Promise<boolean> {
    const { everyDays } = offered(id);
    const stored = await this.#store.read(id);
    const date = nextDate(stored?.date, everyDays);
    if (date === stored?.date) return false;
    await this.#store.write(id, { date, bookings: [] });
    return true;
  }

  /** @throws NotFoundException */
  async #read(id: string): Promise<StoredTour> {
    const stored = await this.#store.read(id);
    if (!stored) throw unknownTour(id);
    return stored;
  }
}

/** @throws NotFoundException */
function offered(id: string): CatalogueTour {
  const tour = catalogue.find((one) => one.id === id);
  if (!tour) throw unknownTour(id);
  return tour;
}

function present(tour: CatalogueTour, { date, bookings }: StoredTour): Tour {
  const { id, title, cityId, city, places } = tour;
  return { id, title, cityId, city, date, places, placesLeft: placesLeft(tour, bookings) };
}

function placesLeft({ places }: CatalogueTour, bookings: readonly StoredBooking[]): number {
  return bookings.reduce((left, booking) => left - booking.places, places);
}

/** The first date that is not past: so many days after the last one, or after today where there was none. */
function nextDate(last: string | undefined, everyDays: number): string {
  const today = Date.parse(dateOf(Date.now()));
  if (last === undefined) return dateOf(today + everyDays * DAY);
  const missed = Math.max(0, Math.ceil((today - Date.parse(last)) / (everyDays * DAY)));
  return dateOf(Date.parse(last) + missed * everyDays * DAY);
}

function unknownTour(id: string): NotFoundException {
  return new NotFoundException(`There is no tour ${id}`);
}
