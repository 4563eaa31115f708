import { Logger } from '@nestjs/common';

/** All that the health checks write to the log. */
export const logger = new Logger('RedisHealthModule');
