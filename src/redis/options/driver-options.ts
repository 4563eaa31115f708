import { showValue } from './mask.js';
import { insteadOfDriverOption } from './owned-driver-options.js';
import type { Problems } from './problems.js';
import type { DriverOptions } from './redis-options.js';
import type { Settings } from './settings.js';

/** The options that are passed on to the driver. They are not checked further: the driver may be newer than rednest. */
export function resolveDriverOptions(settings: Settings, problems: Problems): DriverOptions {
  const given = settings.find('driver');
  if (given?.value === undefined) return {};
  const { option, value } = given;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    problems.add(option, `${showValue(value)} is not an object of ioredis options`);
    return {};
  }
  const passedOn = Object.entries(value).filter(([name, driverValue]) => {
    const instead = insteadOfDriverOption(name);
    if (instead && driverValue !== undefined)
      problems.add(`${option}.${name}`, `is set by rednest; ${instead}`);
    return !instead;
  });
  return Object.fromEntries(passedOn);
}
