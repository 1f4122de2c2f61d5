import type { TaskDefinition } from '../model/task/task-definition.js';
import { AsynqTestKit } from './asynq-test-kit.js';
import type { ExpectedTask } from './task-expectation.js';
import { InvalidOptionError } from '../model/errors/option-errors.js';

/**
 * What {@link asynqMatchers} add to `expect`. Tell the test runner of it once, in a file of types:
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
  /** Whether a task was enqueued, whatever became of it; see {@link AsynqTestKit.expectEnqueued}. */
  toHaveEnqueued(task: string | TaskDefinition, expected?: ExpectedTask): R;
}

/** What a matcher answers, to jest and vitest alike. */
interface MatcherResult {
  readonly pass: boolean;
  readonly message: () => string;
}

/**
 * Matchers for `expect.extend`, of jest, vitest or whatever speaks their language.
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
