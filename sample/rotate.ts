/** `npm run rotate [-- --resume <text>]`: encrypts anew, under `ENCRYPTION_KEY`, what Atlas has in Redis under other keys. */
import { parseArgs } from 'node:util';
import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { EncryptedStore } from 'rednest';
import { AtlasLogger } from './common/atlas-logger.js';
import { failureText } from './common/failure-text.js';
import { rotateValues } from './rotation/rotate-values.js';
import { RotationModule } from './rotation/rotation.module.js';

/** As shells say that a command was called in a wrong way. */
const WRONG_CALL = 2;

async function main(resume: string | undefined): Promise<number> {
  const stopping = new AbortController();
  // Once: what is under way is finished and told, and who cannot wait for that asks again.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => stopping.abort());
  const app = await openAtlas();
  try {
    return await rotateValues(app.get(EncryptedStore), {
      resume,
      signal: stopping.signal,
      write: (line) => process.stdout.write(`${line}\n`),
    });
  } finally {
    await app.close();
  }
}

async function openAtlas(): Promise<INestApplicationContext> {
  // Of what goes well the command itself tells.
  const logger = new AtlasLogger({ logLevels: ['fatal', 'error', 'warn'] });
  return NestFactory.createApplicationContext(await RotationModule.forRoot(), {
    logger,
    abortOnError: false,
  });
}

function readArguments(): { resume?: string | undefined } | undefined {
  try {
    return parseArgs({ options: { resume: { type: 'string' } } }).values;
  } catch (error) {
    console.error(`${(error as Error).message}\nUsage: npm run rotate [-- --resume <text>]`);
    return undefined;
  }
}

const given = readArguments();
if (!given) process.exitCode = WRONG_CALL;
else
  try {
    process.exitCode = await main(given.resume);
  } catch (error) {
    console.error(failureText(error));
    process.exitCode = 1;
  }
