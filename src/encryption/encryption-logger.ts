import { Logger } from '@nestjs/common';

/** All that the encryption module writes to the log. */
export const logger = new Logger('EncryptionModule');
