export { AdapterConfigurationError } from '../adapter-configuration-error.js';
export { bullConnection, type BullConnection, type BullConnectionOptions } from './bull-connection.js';
