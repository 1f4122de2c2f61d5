import { assertNever } from '../../model/errors/asynq-error.js';
import { describeError } from '../../model/retry/describe-error.js';
import { encodePayload, type PayloadCodec } from '../../model/task/payload.codec.js';
import type { TaskMessage } from '../../model/task/task-message.js';
import { elapsed, type EpochMs } from '../../model/time/duration.js';
import type { EngineEventEmitter } from '../engine-events.js';
import type { ThrottledLogger } from '../lifecycle/throttled-logger.js';
import { judgeFailure } from '../outcome/failure.js';
import { subjectOf } from '../outcome/event-task.js';
import { type Outcome, settleSuccess } from '../outcome/outcome.js';
import type { FailureCallbacks } from './failure-callbacks.js';
import type { FailureLog } from './failure-log.js';
import type { Run } from './run.js';
import type { Ended } from './run-state.js';

export interface RunJudgeDeps {
  readonly callbacks: FailureCallbacks;
  readonly failures: FailureLog;
  readonly codec: PayloadCodec;
  readonly events: EngineEventEmitter;
  readonly logger: ThrottledLogger;
}

/**
 * What to do about a run that has ended: an outcome to store, `'none'` for a run whose task belongs to another server,
 * or a promise if the user's error handler must be awaited first.
 */
export type Verdict = Outcome | 'none' | Promise<void>;

/** Decides the outcomes of ended runs. */
export class RunJudge {
  constructor(private readonly deps: RunJudgeDeps) {}

  judge(run: Run, { state, now }: { readonly state: Ended; readonly now: EpochMs }): Verdict {
    switch (state.how) {
      case 'success':
        return this.#success(run, { state, now });
      case 'failure':
        return this.#failure(run, { state, now });
      case 'put-back':
        return this.#putBack(run);
      case 'unknown-type':
        return this.#unknown(run);
      default:
        return assertNever(state);
    }
  }

  #success(
    run: Run,
    { state, now }: { readonly state: Extract<Ended, { how: 'success' }>; readonly now: EpochMs },
  ): Outcome {
    const { message } = run;
    const { returned, startedAt, took } = state;
    const result =
      returned === undefined || message.retentionSeconds <= 0 ? undefined : this.#encode(message, returned);
    const settlement = settleSuccess(message, { result, now });
    if (!this.deps.events.has('completed')) return { settlement, announcement: undefined };
    const event = { task: subjectOf(run), elapsed: took ?? elapsed(startedAt, now), result: returned };
    return { settlement, announcement: { name: 'completed', event } };
  }

  #failure(
    run: Run,
    { state, now }: { readonly state: Extract<Ended, { how: 'failure' }>; readonly now: EpochMs },
  ): Verdict {
    const { message, queue, codec, task, lease } = run;
    const { error, canceled, isReported } = state;
    const { callbacks, failures } = this.deps;
    if (!isReported) {
      const told = callbacks.tell(error, task);
      if (told !== undefined) return told;
    }
    if (lease.kind === 'lost') return 'none';
    const outcome = judgeFailure(error, { message, queue, codec, canceled, policy: callbacks.policyFor(task), now });
    failures.failed(error, { before: message, settlement: outcome.settlement });
    return outcome;
  }

  #putBack(run: Run): Outcome {
    const { message } = run;
    this.deps.logger.info(`Task "${message.id}" of type "${message.type}" goes back to its queue: the server stops`, {
      kind: 'requeued',
    });
    const announcement = { name: 'requeued', event: { task: subjectOf(run) } } as const;
    return { settlement: { kind: 'requeue', message }, announcement };
  }

  #unknown(run: Run): Outcome {
    const announcement = this.deps.events.has('returned')
      ? ({ name: 'returned', event: { task: subjectOf(run) } } as const)
      : undefined;
    return { settlement: { kind: 'requeue', message: run.message }, announcement };
  }

  /** The task is done, so a result that cannot be encoded must not fail it. */
  #encode({ id, type }: TaskMessage, returned: unknown): Uint8Array | undefined {
    try {
      return encodePayload(returned, this.deps.codec, 'result');
    } catch (error) {
      this.deps.logger.error(`The result of task "${id}" of type "${type}" is not stored: ${describeError(error)}`, {
        kind: `result not kept ${type}`,
      });
      return undefined;
    }
  }
}
