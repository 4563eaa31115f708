export { AdapterConfigurationError } from '../adapter-configuration-error.js';
export { RedisSessionStore, type StoredSession } from './redis-session-store.js';
export { SessionUnavailableError } from './session-unavailable-error.js';
export type { AnySession, RedisSessionStoreOptions, SessionSerializer } from './session-store-options.js';
