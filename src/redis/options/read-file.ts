import { readFileSync } from 'node:fs';
import { showPath } from './mask.js';
import type { Problems } from './problems.js';
import type { Settings } from './settings.js';

/** The content of the file that a setting names. A file that cannot be read is reported. */
export function readSettingFile(setting: string, settings: Settings, problems: Problems): string | undefined {
  const path = settings.path(setting);
  if (path === undefined) return undefined;
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    problems.add(settings.label(setting), fileFault(path, error));
    return undefined;
  }
}

/** Why a file cannot be read. The system's message is left out: it has the path, which may be a misplaced secret. */
export function fileFault(path: string, error: unknown): string {
  return `file ${showPath(path)} cannot be read (${errorCode(error)})`;
}

/** The code of an error of Node or OpenSSL. */
export function errorCode(error: unknown): string {
  const hasCode = typeof error === 'object' && error !== null && 'code' in error;
  return hasCode ? String(error.code) : 'for an unknown reason';
}
