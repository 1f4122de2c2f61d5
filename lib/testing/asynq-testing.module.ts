import { type DynamicModule, Global, Module } from '@nestjs/common';
import { AsynqConnectionsModule } from '../nest/asynq-life-cycle.modules.js';
import { AsynqInstances } from '../nest/asynq-instances.js';
import { enginePartsToken } from '../nest/asynq.tokens.js';
import { AsynqTestKit } from './asynq-test-kit.js';
import { type AsynqTestingOptions, TestEnvironment } from './test-environment.js';

const testingOptionsToken = 'AsynqTestingOptions';

/**
 * Imported next to an application's modules, it replaces every Redis by memory, time by a virtual clock, and random
 * numbers by a seeded sequence. Nothing in the application changes; handlers run when the test says so, through {@link
 * AsynqTestKit}.
 *
 * @example
 * const module = await Test.createTestingModule({ imports: [AppModule, AsynqTestingModule] }).compile();
 * await module.init();
 * const asynq = module.get(AsynqTestKit);
 */
@Global()
@Module({
  imports: [AsynqConnectionsModule],
  providers: [
    { provide: testingOptionsToken, useValue: {} },
    {
      provide: TestEnvironment,
      inject: [testingOptionsToken],
      useFactory: (options: AsynqTestingOptions) => new TestEnvironment(options),
    },
    { provide: enginePartsToken, inject: [TestEnvironment], useFactory: ({ parts }: TestEnvironment) => parts },
    {
      provide: AsynqTestKit,
      inject: [TestEnvironment, AsynqInstances],
      useFactory: (environment: TestEnvironment, instances: AsynqInstances) =>
        new AsynqTestKit({ environment, instances }),
    },
  ],
  exports: [enginePartsToken, AsynqTestKit],
})
export class AsynqTestingModule {
  /**
   * Imports the module with options, such as the start of the clock. They are checked when the application is built.
   *
   * @example
   * AsynqTestingModule.forRoot({ now: '2026-12-31T23:59:00Z' });
   */
  static forRoot(options: AsynqTestingOptions): DynamicModule {
    return { module: AsynqTestingModule, providers: [{ provide: testingOptionsToken, useValue: options }] };
  }
}
