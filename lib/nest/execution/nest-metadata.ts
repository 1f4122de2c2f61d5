import {
  Body,
  type CanActivate,
  type ExceptionFilter,
  type NestInterceptor,
  UseFilters,
  UseGuards,
  UseInterceptors,
} from '@nestjs/common';
import { InternalError } from '../../model/errors/asynq-error.js';

/** Names under which Nest keeps what its decorators say. */
export interface NestMetadataKeys {
  readonly guards: string;
  readonly interceptors: string;
  readonly filters: string;
  /** Decorated parameters, by class and method name. */
  readonly parameters: string;
}

/**
 * Learns the names by decorating a class and looking at what was left on it: Nest does not export them, and a copied
 * name would fail in silence on the day it changes.
 */
export function learnNestMetadataKeys(): NestMetadataKeys {
  const nothing: CanActivate & NestInterceptor & ExceptionFilter = {
    canActivate: () => true,
    intercept: (_context, next) => next.handle(),
    catch: () => undefined,
  };
  return {
    guards: keyLeftBy(UseGuards(nothing)),
    interceptors: keyLeftBy(UseInterceptors(nothing)),
    filters: keyLeftBy(UseFilters(nothing)),
    parameters: parameterKey(),
  };
}

function keyLeftBy(decorate: ClassDecorator): string {
  const probe = class {
    method(): void {}
  };
  decorate(probe);
  return onlyKey(Reflect.getOwnMetadataKeys(probe));
}

function parameterKey(): string {
  const probe = class {
    method(): void {}
  };
  Body()(probe.prototype, 'method', 0);
  return onlyKey(Reflect.getOwnMetadataKeys(probe, 'method'));
}

function onlyKey(keys: readonly unknown[]): string {
  const [key, ...others] = keys;
  if (typeof key === 'string' && others.length === 0) return key;
  throw new InternalError(`Nest keeps a decorator under ${keys.length} names; this version of Nest is not supported`);
}
