import { type INestApplication } from '@nestjs/common';
import { ConfigService } from '@nestjs/config';
import { NestFactory } from '@nestjs/core';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import type { Express } from 'express';
import { AppModule } from './app.module.js';
import { AtlasLogger } from './common/atlas-logger.js';
import { ReservedValidationPipe } from './common/reserved-validation.pipe.js';
import { SESSION_COOKIE } from './members/session-cookie.js';

/** Builds Atlas. Its `listen` imports the cities, where they are missing, before the server takes requests. */
export async function createAtlas(): Promise<INestApplication> {
  const options = { abortOnError: false, logger: new AtlasLogger() };
  return configureAtlas(await NestFactory.create(await AppModule.forRoot(), options));
}

/** What belongs to Atlas and cannot stand in a module; the tests do it to the application that they build. */
export function configureAtlas(app: INestApplication): INestApplication {
  app.enableShutdownHooks();
  const express: Express = app.getHttpAdapter().getInstance();
  express.set('trust proxy', app.get(ConfigService).getOrThrow<number>('PROXIES'));
  app.useGlobalPipes(new ReservedValidationPipe());
  setUpDocumentation(app);
  return app;
}

function setUpDocumentation(app: INestApplication): void {
  const info = new DocumentBuilder()
    .setTitle('Atlas')
    .setDescription(
      'A city guide on the data of GeoNames: each group of routes shows a data structure of Redis.',
    )
    .setVersion('1.0')
    .addCookieAuth(SESSION_COOKIE.name)
    .build();
  SwaggerModule.setup('docs', app, () => SwaggerModule.createDocument(app, info), {
    customSiteTitle: 'Atlas',
  });
}
