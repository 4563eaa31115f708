import { Injectable } from '@nestjs/common';
import type { EncryptionService } from '../encryption.service.js';

@Injectable()
export class EncryptedRecords {
  constructor(service: EncryptionService) {
    void service;
  }
}
