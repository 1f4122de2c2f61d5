/**
 * `nestjs-asynq/testing`: tests an application without Redis, on a clock that the test controls.
 *
 * @example
 * const module = await Test.createTestingModule({ imports: [AppModule, AsynqTestingModule] }).compile();
 * await module.init();
 * const asynq = module.get(AsynqTestKit);
 *
 * @packageDocumentation
 */
export { AsynqTestKit } from './asynq-test-kit.js';
export type { DrainOptions, TaskFilter } from './asynq-test-kit.js';
export { AsynqTestingModule } from './asynq-testing.module.js';
export { asynqMatchers } from './matchers.js';
export type { AsynqMatchers } from './matchers.js';
export { VirtualClock } from './virtual-clock.js';
export type { VirtualClockOptions } from './virtual-clock.js';

export type { EnqueuedTask } from './enqueued-tasks.js';
export type { RecordedLog } from './recorded-logs.js';
export type { RunOptions, RunOutcome } from './single-run.js';
export type { StoredTask } from './stored-task.js';
export type { ExpectedTask } from './task-expectation.js';
export type { TaskRun } from './task-runs.js';
export type { AsynqTestingOptions } from './test-environment.js';

export { EndlessDrainError, HandlerRunsOnError, TestExpectationError } from '../model/errors/test-errors.js';
