import { expect } from '@jest/globals';
import type { RedisServer } from 'rednest/testing';
import { eventually } from './eventually.js';

/** What a server has to be started with for {@link makeUnableToSave}. */
export const SAVING_CONFIG = { 'enable-protected-configs': 'yes', save: '3600 1' };

/** Has a snapshot fail: the server takes no writes then, and says so by refusing even `PING`. */
export async function makeUnableToSave(server: RedisServer): Promise<void> {
  const admin = await server.admin();
  // A directory in the place of the file: a snapshot cannot take its name, whoever makes it.
  await admin.config('SET', 'dbfilename', '.');
  await admin.bgsave();
  await eventually(() => expect(admin.ping()).rejects.toThrow('MISCONF'));
}
