import { namespace } from 'rednest';

/** Every key of Atlas starts with `atlas:`, so that it can share a server, and an ACL can name what it may touch. */
export const atlas = namespace('atlas');
