import { Logger } from '@nestjs/common';

/** All that the locks write to the log. */
export const logger = new Logger('LockModule');
