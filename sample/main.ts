import { type AddressInfo } from 'node:net';
import { Logger, type INestApplication } from '@nestjs/common';
import { ConfigService } from '@nestjs/config';
import { createAtlas } from './bootstrap.js';
import { failureText } from './common/failure-text.js';

/** The card number is one that is known for tests. */
const EXAMPLE_PROFILE = {
  holder: 'Alice Keller',
  cardNumber: '4111 1111 1111 1111',
  expires: '2030-12',
  billingAddress: { street: 'Bahnhofstrasse 1', postcode: '8001', city: 'Zurich', country: 'CH' },
};

const EXAMPLE_MEMBER = { name: 'alice', password: 'correct horse battery' };

async function main(): Promise<void> {
  const app = await createAtlas();
  const port = app.get(ConfigService).getOrThrow<number>('PORT');
  try {
    await app.listen(port);
  } catch (error) {
    await app.close();
    throw explain(error, port);
  }
  welcome(app);
}

function explain(error: unknown, port: number): unknown {
  if (!(error instanceof Error) || !('code' in error) || error.code !== 'EADDRINUSE') return error;
  return new Error(
    `Port ${port} is in use: stop what listens there, or choose another with the variable PORT`,
  );
}

/** To standard output as it is, without the logger's line heads: the lines are there to be copied. */
function welcome(app: INestApplication): void {
  const { port } = app.getHttpServer().address() as AddressInfo;
  const url = `http://localhost:${port}`;
  const lines = [
    `Atlas is up. Its API is described at ${url}/docs. Try:`,
    `  curl '${url}/cities?q=zurich'`,
    `  curl '${url}/cities/near?lat=47.37&lng=8.54&km=20&limit=5'`,
    `  curl -i '${url}/cities/2657896'   # twice: X-Cache tells where it came from`,
    `  curl -X PATCH '${url}/cities/2657896' -H 'content-type: application/json' -d '{"population":450000}'`,
    `  curl -N '${url}/cities/live'   # visits as they come; leave it open, and go on in another terminal`,
    `  curl -X POST '${url}/cities/2657896/visits' && curl '${url}/cities/top'`,
    `  curl -X POST '${url}/tours/zurich-old-town/bookings' -H 'content-type: application/json' -d '{"guest":"Alice","places":2}'`,
    `  curl -X POST '${url}/work' -H 'content-type: application/json' -d '{"cityId":2657896}'`,
    `  curl -X POST '${url}/payments/profiles' -H 'content-type: application/json' -d '${JSON.stringify(EXAMPLE_PROFILE)}'`,
    `  curl -X POST '${url}/payments/profiles/search' -H 'content-type: application/json' -d '{"cardNumber":"4111-1111-1111-1111"}'`,
    `  curl -X POST '${url}/members' -H 'content-type: application/json' -d '${JSON.stringify(EXAMPLE_MEMBER)}'`,
    `  curl -c cookies.txt -X PUT '${url}/session' -H 'content-type: application/json' -d '${JSON.stringify(EXAMPLE_MEMBER)}'`,
    `  curl -b cookies.txt '${url}/session'   # who is logged in`,
    `  curl -X POST '${url}/imports'   # the job of every night, now; GET the id that comes back`,
    `  curl -i '${url}/health/ready'   # and /health/live, /health/startup`,
    `  curl '${url}/metrics'`,
  ];
  process.stdout.write(`\n${lines.join('\n')}\n\n`);
}

try {
  await main();
} catch (error) {
  new Logger('Atlas').error(failureText(error));
  process.exitCode = 1;
}
