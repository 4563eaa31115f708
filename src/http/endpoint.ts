import {
  applyDecorators,
  Controller,
  UseGuards,
  VERSION_NEUTRAL,
  type CanActivate,
  type Type,
} from '@nestjs/common';
import type { HttpAdapterHost } from '@nestjs/core';
import { showValue, type Problems } from '../redis/shared.js';

/** Where a module answers HTTP requests, and what stands in front of that. */
export interface EndpointOptions {
  /** One path or several; false for no endpoint at all. A global prefix of the application comes before it. */
  path?: string | string[] | false;
  /** Guards, as `@UseGuards` takes them. @default none */
  guards?: readonly (Type<CanActivate> | CanActivate)[];
  /** Decorators of the controller, such as `@ApiExcludeController()`, or one that lets a global guard pass. @default none */
  decorators?: readonly ClassDecorator[];
}

/**
 * The controllers of an endpoint: one, or none without a path, and with one that is wrong, which {@link checkPath} reports.
 *
 * @param controller makes a class of its own for each application, since paths and guards are metadata of classes
 */
export function controllersOf(
  { path, guards = [], decorators = [] }: EndpointOptions,
  controller: (endpoint: ClassDecorator) => Type,
): Type[] {
  if (!isPath(path)) return [];
  const guarded = guards.length > 0 ? [UseGuards(...guards)] : [];
  return [
    controller(applyDecorators(Controller({ path, version: VERSION_NEUTRAL }), ...guarded, ...decorators)),
  ];
}

/** Reports a path that is none. At the start: what an application writes is not checked while its modules are declared. */
export function checkPath(path: unknown, problems: Problems): void {
  if (path === false || isPath(path)) return;
  problems.add('path', `${showValue(path)} is not a path such as '/internal', a list of paths, or false`);
}

/** What is answered. */
interface Reply {
  readonly status: number;
  /** A text as it is, an object as JSON. */
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * Answers past the application: what its interceptors and filters make of other answers, or write to its log, is not for those who ask here. No
 * answer is kept on the way.
 */
export function respond(
  { httpAdapter }: HttpAdapterHost,
  response: unknown,
  { status, body, headers = {} }: Reply,
): void {
  for (const [name, value] of Object.entries({ 'Cache-Control': 'no-store', ...headers }))
    httpAdapter.setHeader(response, name, value);
  httpAdapter.reply(response, body, status);
}

function isPath(path: unknown): path is string | string[] {
  const paths: unknown[] = Array.isArray(path) ? path : [path];
  return paths.length > 0 && paths.every((each) => typeof each === 'string' && each !== '');
}
