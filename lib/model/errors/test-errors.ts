import type { Ms } from '../time/duration.js';
import { AsynqError } from './asynq-error.js';

/** A test expected the application to have enqueued something else; the message shows the closest match. */
export class TestExpectationError extends AsynqError {
  readonly code = 'ASYNQ_TEST_EXPECTATION';
}

/** Tasks kept coming in a test: more ran at one instant than `drain` or `advance` allows. */
export class EndlessDrainError extends AsynqError {
  readonly code = 'ASYNQ_TEST_ENDLESS_DRAIN';

  constructor(
    /** The number of allowed runs. */
    readonly limit: number,
    /** How often each type ran, most frequent first. */
    readonly runs: readonly (readonly [type: string, runs: number])[],
  ) {
    const types = runs.slice(0, 5).map(([type, count]) => `${type} (${count} runs)`);
    super(
      `Tasks are still due after ${limit} runs at one instant: ${types.join(', ')}. ` +
        'A handler enqueues its own type, or retries without a delay; if that is intended, pass a higher limit',
    );
  }
}

/** A handler did not end while a test waited for it. */
export class HandlerRunsOnError extends AsynqError {
  readonly code = 'ASYNQ_TEST_HANDLER_RUNS_ON';

  constructor(
    /** The tasks whose handlers are still running. */
    readonly tasks: readonly { readonly type: string; readonly id: string }[],
    waited: Ms,
  ) {
    const named = tasks.map(({ type, id }) => `${type} (${id})`);
    super(
      `Still running after ${waited / 1_000} s of real time: ${named.join(', ')}. ` +
        'If the handler waits for a timeout or a cancellation, use advance, which continues without it',
    );
  }
}
