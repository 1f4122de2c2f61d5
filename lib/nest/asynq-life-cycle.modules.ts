import { Module } from '@nestjs/common';
import {
  DiscoveryModule,
  DiscoveryService,
  ExternalContextCreator,
  HttpAdapterHost,
  ModuleRef,
  ModulesContainer,
} from '@nestjs/core';
import { type EngineParts, systemParts } from './asynq-instance.js';
import { AsynqInstances } from './asynq-instances.js';
import { AsynqRunner } from './asynq.runner.js';
import { enginePartsToken } from './asynq.tokens.js';
import { DecoratedMethods } from './discovery/decorated-methods.js';
import { stopListening } from './http-listener.js';

/**
 * Sets when Nest runs the hooks of a module. Start hooks run from the module farthest from the root to the root, stop
 * hooks the other way round; global modules count as farthest of all. A module's `distance` decides, and it can still
 * be changed while providers are created.
 */
function setHookOrder(module: object, place: { readonly modules: ModulesContainer; readonly distance: number }): void {
  for (const candidate of place.modules.values()) {
    if (candidate.metatype === module) candidate.distance = place.distance;
  }
}

/** Opens connections before every hook of the application and closes them after every hook. */
@Module({
  providers: [
    {
      provide: AsynqInstances,
      inject: [ModulesContainer],
      useFactory: (modules: ModulesContainer) => {
        setHookOrder(AsynqConnectionsModule, { modules, distance: Number.POSITIVE_INFINITY });
        return new AsynqInstances();
      },
    },
  ],
  exports: [AsynqInstances],
})
export class AsynqConnectionsModule {}

/** Starts handlers after every bootstrap hook of the application and drains them before every stop hook. */
@Module({
  imports: [DiscoveryModule, AsynqConnectionsModule],
  providers: [
    {
      provide: AsynqRunner,
      inject: [
        AsynqInstances,
        ModulesContainer,
        DiscoveryService,
        ModuleRef,
        ExternalContextCreator,
        { token: HttpAdapterHost, optional: true },
        { token: enginePartsToken, optional: true },
      ],
      useFactory: (...[instances, modules, discovery, moduleRef, external, http, parts]: RunnerDependencies) => {
        setHookOrder(AsynqRunnerModule, { modules, distance: -1 });
        const methods = new DecoratedMethods(discovery);
        const { clock } = parts ?? systemParts;
        // In production Nest's own order applies: requests are accepted until every stop hook has run.
        const freePort = process.env['NODE_ENV'] === 'production' ? undefined : () => stopListening(http);
        return new AsynqRunner({ instances, methods, moduleRef, external, clock, freePort });
      },
    },
  ],
})
export class AsynqRunnerModule {}

type RunnerDependencies = readonly [
  AsynqInstances,
  ModulesContainer,
  DiscoveryService,
  ModuleRef,
  ExternalContextCreator,
  HttpAdapterHost | undefined,
  EngineParts | undefined,
];
