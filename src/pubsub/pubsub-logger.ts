import { Logger } from '@nestjs/common';

/** All that the event bus writes to the log. */
export const logger = new Logger('PubSubModule');
