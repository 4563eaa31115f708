export { AdapterConfigurationError } from '../adapter-configuration-error.js';
export { KeyvCacheStore, type KeyvCacheStoreEntry } from './keyv-cache-store.js';
