import type { InjectionToken, Provider } from '@nestjs/common';
import { InvalidOptionError } from '../model/errors/option-errors.js';
import { AsynqInstance, type EngineParts, systemParts } from './asynq-instance.js';
import { AsynqInstances } from './asynq-instances.js';
import {
  type AsynqModuleAsyncOptions,
  type AsynqModuleOptions,
  type AsynqOptionsFactory,
  resolveModuleOptions,
} from './asynq-module-options.js';
import {
  enginePartsToken,
  getClientToken,
  getMuxToken,
  getSchedulerToken,
  getServerToken,
  instanceToken,
  optionsToken,
} from './asynq.tokens.js';

/** The tokens that an instance exports for injection. */
export function instanceExports(name: string): InjectionToken[] {
  return [getClientToken(name), getServerToken(name), getMuxToken(name), getSchedulerToken(name)];
}

/** Returns the providers of one instance; its options are provided under {@link optionsToken}. */
export function instanceProviders(name: string): Provider[] {
  return [
    {
      provide: instanceToken(name),
      inject: [optionsToken(name), AsynqInstances, { token: enginePartsToken, optional: true }],
      useFactory: (options: AsynqModuleOptions, instances: AsynqInstances, parts: EngineParts = systemParts) =>
        instances.add(
          new AsynqInstance(name, {
            options: resolveModuleOptions(options, process.env),
            parts,
          }),
        ),
    },
    partProvider(name, { token: getClientToken(name), of: (instance) => instance.client }),
    partProvider(name, { token: getServerToken(name), of: (instance) => instance.server }),
    partProvider(name, { token: getMuxToken(name), of: (instance) => instance.mux }),
    partProvider(name, { token: getSchedulerToken(name), of: (instance) => instance.scheduler }),
  ];
}

function partProvider(
  name: string,
  part: { readonly token: InjectionToken; readonly of: (instance: AsynqInstance) => object },
): Provider {
  return { provide: part.token, inject: [instanceToken(name)], useFactory: part.of };
}

/**
 * Returns the providers of options that come from other providers.
 *
 * @throws InvalidOptionError unless exactly one of useFactory, useClass and useExisting is given.
 */
export function asyncOptionsProviders(name: string, options: AsynqModuleAsyncOptions): Provider[] {
  const { useFactory, useClass, useExisting } = options;
  const given = { useFactory, useClass, useExisting };
  const names = Object.entries(given).flatMap(([key, value]) => (value === undefined ? [] : key));
  if (names.length !== 1) {
    throw new InvalidOptionError({
      path: 'AsynqModule: forRootAsync',
      value: names.length === 0 ? 'none' : names.join(', '),
      allowed: 'given exactly one of useFactory, useClass and useExisting',
    });
  }
  const provide = optionsToken(name);
  if (useFactory !== undefined) return [{ provide, useFactory, inject: [...(options.inject ?? [])] }];
  const factoryToken = useExisting ?? `AsynqOptionsFactory:${name}`;
  const createOptions: Provider = {
    provide,
    inject: [factoryToken],
    useFactory: (factory: AsynqOptionsFactory) => factory.createAsynqOptions(),
  };
  return useClass === undefined ? [createOptions] : [{ provide: factoryToken, useClass }, createOptions];
}
