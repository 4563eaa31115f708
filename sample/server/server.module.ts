import { Module } from '@nestjs/common';
import { RedisInspectorModule } from 'rednest/diagnostics';
import { ServerController } from './server.controller.js';

// Who looks at a page does not wait longer for a server that is slow.
@Module({ imports: [RedisInspectorModule.forRoot({ timeout: '1s' })], controllers: [ServerController] })
export class ServerModule {}
