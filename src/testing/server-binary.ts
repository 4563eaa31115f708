import { access, constants, stat } from 'node:fs/promises';
import { delimiter, join, resolve, sep } from 'node:path';

const variable = 'REDNEST_REDIS_SERVER';
const names = ['redis-server', 'valkey-server'];

/**
 * Where the server to start is: the environment variable `REDNEST_REDIS_SERVER` (a path, or a name on the PATH), else
 * `redis-server`, else `valkey-server` on the PATH.
 *
 * @throws Error that names what to install when there is none
 */
export async function findServerBinary(): Promise<string> {
  const chosen = process.env[variable];
  if (chosen) {
    const path = chosen.includes(sep) ? await executable(resolve(chosen)) : await findOnPath(chosen);
    if (path) return path;
    throw new Error(`${variable} names '${chosen}', which is not a program that can be run`);
  }
  for (const name of names) {
    const path = await findOnPath(name);
    if (path) return path;
  }
  throw new Error(
    `No ${names.join(' and no ')} on the PATH. Install one (Debian and Ubuntu: apt-get install redis-server; Alpine: apk add redis; ` +
      `Fedora: dnf install valkey; macOS: brew install redis), or set ${variable} to the path of the program.`,
  );
}

async function findOnPath(name: string): Promise<string | undefined> {
  for (const directory of (process.env['PATH'] ?? '').split(delimiter)) {
    const path = directory && (await executable(join(directory, name)));
    if (path) return path;
  }
  return undefined;
}

async function executable(path: string): Promise<string | undefined> {
  try {
    await access(path, constants.X_OK);
    // A directory passes the first test.
    return (await stat(path)).isFile() ? path : undefined;
  } catch {
    return undefined;
  }
}
