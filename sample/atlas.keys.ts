import { namespace } from 'rednest';

/** Every key of Atlas starts with `atlas:`, so that it can share a server, and an ACL can name what it may touch. */
export const atlas = namespace('atlas');

/** The keys of the locks start as all others do. What is locked has its name from the routes and jobs: `tour:<id>`, `import`. */
export const lockNamespace = 'atlas:lock';

/** So do the streams and channels of the events. An event has its name from what happened: `city.viewed`. */
export const eventNamespace = 'atlas:events';

/** And what is encrypted. A rotation walks through all of these, and through nothing else. */
export const secureNamespace = 'atlas:secure';

/** Who is logged in: `atlas:session:<id>`. */
export const sessionNamespace = 'atlas:session';

/** How often somebody has asked. */
export const throttleNamespace = 'atlas:throttle';

/** What BullMQ puts before the names of its queues. */
export const jobPrefix = 'atlas:jobs';
