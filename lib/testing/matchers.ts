import type { TaskDefinition } from '../model/task/task-definition.js';
import { AsynqTestKit } from './asynq-test-kit.js';
import type { ExpectedTask } from './task-expectation.js';
import { InvalidOptionError } from '../model/errors/option-errors.js';

/**
 * The matchers that {@link asynqMatchers} adds to `expect`. Declare them once, in a file of types:
 *
 * @example
 * // jest
 * declare global {
 *   namespace jest {
 *     interface Matchers<R> extends AsynqMatchers<R> {}
 *   }
 * }
 */
export interface AsynqMatchers<R> {
  /** Asserts that a task was enqueued, whatever happened to it; see {@link AsynqTestKit.expectEnqueued}. */
  toHaveEnqueued(task: string | TaskDefinition, expected?: ExpectedTask): R;
}

/** The result of a matcher, for Jest and Vitest alike. */
interface MatcherResult {
  readonly pass: boolean;
  readonly message: () => string;
}

/**
 * Matchers for `expect.extend` of Jest, Vitest and compatible test runners.
 *
 * @example
 * expect.extend(asynqMatchers);
 * expect(asynq).toHaveEnqueued('email:send', { payload: { userId: 42 } });
 * expect(asynq).not.toHaveEnqueued('invoice:pay');
 */
export const asynqMatchers = {
  toHaveEnqueued(kit: unknown, task: string | TaskDefinition, expected: ExpectedTask = {}): MatcherResult {
    if (!(kit instanceof AsynqTestKit)) {
      throw new InvalidOptionError({ path: 'toHaveEnqueued: expect(...)', value: kit, allowed: 'an AsynqTestKit' });
    }
    const verdict = kit.judge(task, expected);
    return { pass: verdict.matches, message: verdict.matches ? verdict.unexpected : verdict.expected };
  },
};
