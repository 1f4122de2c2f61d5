import { type DynamicModule, Module } from '@nestjs/common';
import type { AsynqInstanceOptions, AsynqModuleAsyncOptions, AsynqModuleOptions } from './asynq-module-options.js';
import { asyncOptionsProviders, instanceExports, instanceProviders } from './asynq.providers.js';
import { AsynqConnectionsModule, AsynqRunnerModule } from './asynq-life-cycle.modules.js';
import { defaultInstanceName, optionsToken } from './asynq.tokens.js';
import { checkBoolean, checkObject, checkText } from '../model/options/check.js';

/**
 * Adds the Asynq task queue to an application: an {@link AsynqClient} to inject everywhere, and a server that runs the
 * methods decorated with {@link TaskHandler}. It follows Nest's life cycle: handlers start after every provider has
 * bootstrapped; when the application closes, they are drained while everything they use is still alive.
 *
 * Imported without `forRoot` it is the default instance with the default options; it uses the Redis server at
 * `ASYNQ_REDIS_URL` or `REDIS_URL`, or else on localhost.
 *
 * @example
 * @Module({
 *   imports: [
 *     AsynqModule.forRoot({
 *       redis: 'redis://localhost:6379/0',
 *       server: { concurrency: 20, queues: { critical: 6, default: 3, low: 1 } },
 *     }),
 *   ],
 *   providers: [EmailTasks, SignupService],
 * })
 * export class AppModule {}
 */
@Module({})
export class AsynqModule {
  /**
   * Registers an instance: the default one, or the one with the given `name`. Options are checked when the
   * application is built.
   */
  static forRoot(options: AsynqModuleOptions & AsynqInstanceOptions = {}): DynamicModule {
    checkObject({ path: 'AsynqModule: options', value: options });
    const { name: _name, isGlobal: _isGlobal, ...useValue } = options;
    const providers = [{ provide: optionsToken(instanceName(options)), useValue }];
    return registration({ ...options, providers });
  }

  /**
   * Registers an instance whose options come from other providers. `name` and `isGlobal` are given beside the factory,
   * because they decide how the module is wired.
   *
   * @example
   * AsynqModule.forRootAsync({
   *   inject: [ConfigService],
   *   useFactory: (config: ConfigService) => ({ redis: config.getOrThrow('REDIS_URL') }),
   * });
   */
  static forRootAsync(options: AsynqModuleAsyncOptions): DynamicModule {
    const providers = asyncOptionsProviders(instanceName(options), options);
    return registration({ ...options, providers });
  }
}

// Nest treats whatever has a `module` as a dynamic module, and `exports` names the class of one. Imported without
// `forRoot`, the class is therefore a registration of its own, and none of it is added to what `forRoot` returns.
Object.assign(AsynqModule, AsynqModule.forRoot());

function registration(options: AsynqInstanceOptions & Pick<DynamicModule, 'imports' | 'providers'>): DynamicModule {
  const name = instanceName(options);
  const { isGlobal = true } = options;
  return {
    module: AsynqModule,
    global: checkBoolean({ path: 'AsynqModule: isGlobal', value: isGlobal }),
    imports: [...(options.imports ?? []), AsynqConnectionsModule, AsynqRunnerModule],
    providers: [...(options.providers ?? []), ...instanceProviders(name)],
    exports: instanceExports(name),
  };
}

function instanceName({ name = defaultInstanceName }: AsynqInstanceOptions): string {
  return checkText({ path: 'AsynqModule: name', value: name });
}
