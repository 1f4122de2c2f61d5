import { showValue } from '../../model/errors/option-errors.js';
import { isThenable, isUnwantedPromise } from '../../model/options/user-callback.js';
import { describeError } from '../../model/retry/describe-error.js';
import { defaultRetryDelay } from '../../model/retry/retry-delay.js';
import type { Clock, Random } from '../../model/time/clock.js';
import { type Ms, ms, readDuration } from '../../model/time/duration.js';
import { waitFor } from '../../model/time/wait.js';
import type { ThrottledLogger } from '../lifecycle/throttled-logger.js';
import type { FailurePolicy } from '../outcome/failure.js';
import type { Task } from './handler-task.js';
import type { ResolvedServerOptions } from './server-options.js';

export interface FailureCallbacksDeps {
  readonly options: Pick<ResolvedServerOptions, 'retryDelay' | 'isFailure' | 'errorHandler'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: ThrottledLogger;
}

/** How long the outcome of a failed run waits for a promise of the user's error handler. */
const errorHandlerLimit = ms(5_000);

/**
 * The user's callbacks about failures, made safe to call. If one throws, the error is logged and the default is used;
 * it never keeps an outcome from being written.
 */
export class FailureCallbacks {
  constructor(private readonly deps: FailureCallbacksDeps) {}

  /** Calls the error handler. The caller must await a returned promise, which resolves in bounded time. */
  tell(error: unknown, task: Task): Promise<void> | undefined {
    const { errorHandler } = this.deps.options;
    if (errorHandler === undefined) return undefined;
    let returned: unknown;
    try {
      returned = errorHandler(error, task);
    } catch (fault) {
      this.#callbackFailed('errorHandler', fault);
    }
    return isThenable(returned) ? this.#bounded(returned) : undefined;
  }

  /** Returns the policy for judging failures of this task. */
  policyFor(task: Task): FailurePolicy {
    return {
      delay: (retried, error) => this.#delay(error, { retried, task }),
      isFailure: (error) => this.#isFailure(error),
    };
  }

  async #bounded(telling: PromiseLike<unknown>): Promise<void> {
    const { clock, logger } = this.deps;
    try {
      const { ended } = await waitFor(telling, { clock, limit: errorHandlerLimit });
      if (ended === 'late') {
        logger.warn(
          `errorHandler takes longer than ${errorHandlerLimit} ms; the outcome is written without waiting for it`,
          {
            kind: 'errorHandler is slow',
          },
        );
      }
    } catch (fault) {
      this.#callbackFailed('errorHandler', fault);
    }
  }

  #delay(error: unknown, { retried, task }: { readonly retried: number; readonly task: Task }): Ms {
    const { options, random } = this.deps;
    if (options.retryDelay === 'default') return defaultRetryDelay(retried, random);
    try {
      const delay = options.retryDelay(retried, error, task);
      const parsed = isUnwantedPromise(delay) ? undefined : readDuration(delay);
      if (parsed !== undefined) return parsed;
      this.#callbackFailed('retryDelay', `${showValue(delay)} is not a duration; the default is used`);
    } catch (fault) {
      this.#callbackFailed('retryDelay', fault);
    }
    return defaultRetryDelay(retried, random);
  }

  #isFailure(error: unknown): boolean {
    try {
      const answer: unknown = this.deps.options.isFailure(error);
      if (typeof answer === 'boolean') return answer;
      if (isUnwantedPromise(answer))
        this.#callbackFailed('isFailure', 'it returned a promise instead of true or false; the error counts');
      else this.#callbackFailed('isFailure', `${showValue(answer)} is not true or false; the error counts`);
      return true;
    } catch (fault) {
      this.#callbackFailed('isFailure', fault);
      return true;
    }
  }

  #callbackFailed(name: string, fault: unknown): void {
    this.deps.logger.error(`${name} failed: ${describeError(fault)}`, { kind: `${name} failed` });
  }
}
