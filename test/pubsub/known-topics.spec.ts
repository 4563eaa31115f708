import { describe, expect, it } from '@jest/globals';
import { Event, PubSubConfigurationError } from 'rednest';
import { BusApplications } from './fixtures/bus-applications.js';
import { eventually } from '../support/eventually.js';

@Event('city.viewed', { delivery: 'durable', partitions: 2 })
class CityViewed {}

describe('a topic of which a process knows no more than the name', () => {
  const applications = new BusApplications();

  it('is not broadcast where it is durable for another', async () => {
    const { bus } = await applications.start();
    const other = await applications.start();
    await other.bus.publish(new CityViewed());
    for (let tries = 0; tries < 2; tries++) {
      const publishing = bus.publish('city.viewed', {});
      await expect(publishing).rejects.toThrow(PubSubConfigurationError);
      await expect(publishing).rejects.toThrow(/'city\.viewed'.*delivery.*durable/s);
    }
    await expect(bus.subscribe('city.viewed', () => undefined)).rejects.toThrow(PubSubConfigurationError);
  });

  it('is broadcast where nobody says anything else, and Redis is asked once', async () => {
    const { bus } = await applications.start();
    const received: unknown[] = [];
    await bus.subscribe('city.renamed', (city) => void received.push(city));
    await Promise.all([1, 2, 3].map((city) => bus.publish('city.renamed', city)));
    const redis = await applications.server.admin();
    await redis.config('RESETSTAT');
    await bus.publish('city.renamed', 4);
    await eventually(() => expect(received).toEqual([1, 2, 3, 4]));
    expect(await redis.info('commandstats')).not.toContain('cmdstat_exists');
  });

  it('is what the module says', async () => {
    const other = await applications.start();
    await other.bus.publish(new CityViewed());
    const { bus } = await applications.start([], {
      options: { topics: { 'city.viewed': { delivery: 'broadcast' } } },
    });
    await bus.publish('city.viewed', {});
  });
});
