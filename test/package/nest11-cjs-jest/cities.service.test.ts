import { afterEach, expect, it } from '@jest/globals';
import { Test, type TestingModule } from '@nestjs/testing';
import { RedisModule } from 'rednest';
import { startRedis, type RedisServer } from 'rednest/testing';
import { CitiesService } from './cities.service';

let server: RedisServer | undefined;
let testingModule: TestingModule | undefined;

afterEach(async () => {
  await testingModule?.close();
  await server?.stop();
});

it('uses a real Redis through RedisModule', async () => {
  server = await startRedis();
  testingModule = await Test.createTestingModule({
    imports: [RedisModule.forRoot(server.options)],
    providers: [CitiesService],
  }).compile();

  await expect(testingModule.get(CitiesService).rename(1, 'Torshavn')).resolves.toBe('Torshavn');
});
