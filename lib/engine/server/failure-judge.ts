import type { Settlement } from '../../model/broker/work.contract.js';
import { assertNever } from '../../model/errors/asynq-error.js';
import { showValue } from '../../model/errors/option-errors.js';
import { isThenable, isUnwantedPromise } from '../../model/options/user-callback.js';
import { describeError } from '../../model/retry/describe-error.js';
import { decideFailure, type FailureOutcome } from '../../model/retry/failure-outcome.js';
import { defaultRetryDelay } from '../../model/retry/retry-delay.js';
import type { TaskMessage } from '../../model/task/task-message.js';
import type { Clock, Random, Timer } from '../../model/time/clock.js';
import { type EpochMs, type Ms, ms, parseDuration } from '../../model/time/duration.js';
import type { ThrottledLogger } from '../lifecycle/throttled-logger.js';
import { type Announcement, type Execution, subjectOf } from './execution.js';
import type { Task } from './handler-task.js';
import { settleCanceled, settleFailure } from './run-outcome.js';
import type { ResolvedServerOptions } from './server-options.js';

export interface FailureJudgeDeps {
  readonly options: Pick<ResolvedServerOptions, 'retryDelay' | 'isFailure' | 'errorHandler'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: ThrottledLogger;
}

/** How long the outcome of a failed run waits for a promise of the user's error handler. */
const errorHandlerLimit = ms(5_000);
const tooLate = Symbol('too late');

/**
 * Judges failed runs as the user wants it. A callback of the user's that throws is logged and replaced by the default;
 * it never keeps an outcome from being written.
 */
export class FailureJudge {
  constructor(private readonly deps: FailureJudgeDeps) {}

  /** Calls the error handler; a promise of it is to be awaited, and resolves in bounded time. */
  tellUser({ task }: Execution, error: unknown): Promise<void> | undefined {
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

  async #bounded(telling: PromiseLike<unknown>): Promise<void> {
    let timer: Timer | undefined;
    const limit = new Promise<typeof tooLate>((resolve) => {
      timer = this.deps.clock.setTimer(errorHandlerLimit, () => resolve(tooLate));
    });
    try {
      if ((await Promise.race([telling, limit])) === tooLate) {
        this.deps.logger.warn(
          `errorHandler takes longer than ${errorHandlerLimit} ms; the outcome does not wait for it`,
          { kind: 'errorHandler is slow' },
        );
      }
    } catch (fault) {
      this.#callbackFailed('errorHandler', fault);
    } finally {
      timer?.cancel();
    }
  }

  /** What is to be written for a failed run, and told once it is stored. */
  judge(
    execution: Execution,
    error: unknown,
  ): { readonly settlement: Settlement; readonly announcement: Announcement | undefined } {
    const { message, queue, cancelThen, aborted, task } = execution;
    const now = this.deps.clock.now();
    const canceled =
      cancelThen !== undefined && error === aborted
        ? settleCanceled(message, { then: cancelThen, error, now })
        : undefined;
    const settlement = canceled ?? settleFailure(message, { outcome: this.decide(error, { message, task, now }), now });
    this.#report(settlement, error);
    return { settlement, announcement: announcementOf(settlement, { queue, error }) };
  }

  /** Retry, archive, snooze or revoke. */
  decide(
    error: unknown,
    run: { readonly message: TaskMessage; readonly task: Task; readonly now: EpochMs },
  ): FailureOutcome {
    const { message, task, now } = run;
    const policy = {
      delay: (retried: number) => this.#delay(error, { retried, task }),
      isFailure: () => this.#isFailure(error),
    };
    return decideFailure(error, { message, policy, now });
  }

  #delay(error: unknown, { retried, task }: { readonly retried: number; readonly task: Task }): Ms {
    const { options, random } = this.deps;
    if (options.retryDelay === 'default') return defaultRetryDelay(retried, random);
    try {
      const delay = options.retryDelay(retried, error, task);
      const parsed = isUnwantedPromise(delay) ? undefined : parseDuration(delay);
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
        this.#callbackFailed('isFailure', 'a promise is not true or false; the error counts');
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

  #report(settlement: Settlement, error: unknown): void {
    const { logger } = this.deps;
    const { id, type, retried, maxRetry, errorMessage } = settlement.message;
    const subject = `Task "${id}" of type "${type}"`;
    if (settlement.kind === 'archive') {
      logger.warn(`${subject} failed for good and is archived: ${errorMessage}`, { kind: `archived ${type}` });
    } else if (settlement.kind === 'retry') {
      logger.debug(`${subject} failed, retry ${retried} of ${maxRetry} follows: ${errorMessage}`);
    } else if (settlement.kind === 'done') {
      logger.warn(`${subject} was revoked by its handler: ${describeError(error)}`, { kind: `revoked ${type}` });
    }
  }
}

function announcementOf(
  settlement: Settlement,
  { queue, error }: { readonly queue: string; readonly error: unknown },
): Announcement | undefined {
  const task = subjectOf(settlement.message, queue);
  switch (settlement.kind) {
    case 'retry':
      return { name: 'retry', event: { task, error, retryAt: settlement.retryAt } };
    case 'archive':
      return { name: 'archived', event: { task, error } };
    case 'snooze':
      return { name: 'snoozed', event: { task, until: settlement.until } };
    case 'done':
      return { name: 'revoked', event: { task, error } };
    case 'delete':
    case 'complete':
    case 'requeue':
    case 'return':
      return undefined;
    default:
      return assertNever(settlement);
  }
}
