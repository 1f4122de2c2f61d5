import type { CancelThen } from '../../model/broker/presence.contract.js';
import type { Settlement, WorkContract } from '../../model/broker/work.contract.js';
import {
  DeadlineExceededError,
  LeaseExpiredError,
  TaskAbortedError,
  TaskCanceledError,
} from '../../model/errors/task-errors.js';
import { describeError } from '../../model/retry/describe-error.js';
import { isHandlersDecision } from '../../model/retry/failure-outcome.js';
import { encodePayload, type PayloadCodec } from '../../model/task/payload.codec.js';
import { isUnlimited, runDeadline } from '../../model/task/run-deadline.js';
import type { Clock } from '../../model/time/clock.js';
import { addMs, elapsed, type EpochMs, ms } from '../../model/time/duration.js';
import type { EngineEventEmitter } from '../engine-events.js';
import { Alarm } from '../lifecycle/alarm.js';
import type { ThrottledLogger } from '../lifecycle/throttled-logger.js';
import type { Service } from '../lifecycle/service.js';
import type { Handler } from '../middleware.js';
import { type AbortReason, type Execution, type ExecutionHost, subjectOf } from './execution.js';
import type { FailureJudge } from './failure-judge.js';
import type { HandlerLookup } from './handler-lookup.js';
import { settleSuccess, settleUnknown } from './run-outcome.js';
import type { ResolvedServerOptions } from './server-options.js';
import type { Settler } from './settler.js';

export interface ExecutorDeps {
  readonly lookup: HandlerLookup;
  readonly judge: FailureJudge;
  readonly settler: Pick<Settler, 'add'>;
  readonly work: Pick<WorkContract, 'writeResult'>;
  /** `host:pid:server-id` of this server. */
  readonly owner: string;
  readonly codec: PayloadCodec;
  readonly clock: Clock;
  readonly events: EngineEventEmitter;
  readonly logger: ThrottledLogger;
  readonly executions: Iterable<Execution>;
  readonly options: Pick<ResolvedServerOptions, 'abortGrace' | 'stuckPolicy'>;
  readonly slots: Slots;
}

/** Who counts the slots. */
export interface Slots {
  /** The run needs its slot no longer. */
  freeSlot(execution: Execution): void;
  /** Something waits to be written. */
  schedule(): void;
  /** A task of a queue is for another worker. */
  letOthersFirst(queue: string): void;
}

/** Types are told about once; programs that make them up must not fill memory. */
const mostUnknownTypes = 1_000;
const mostLost = 10_000;

/**
 * Runs handlers and decides what becomes of their tasks. One alarm watches the deadlines of all runs. A run that is
 * told to stop may still decide for itself during its grace; after that the reason of the abort is its failure.
 */
export class Executor implements ExecutionHost, Service {
  readonly name = 'executor';
  readonly codec: PayloadCodec;
  readonly #alarm: Alarm;
  readonly #unknownTypes = new Set<string>();
  /** Tasks whose leases were lost here not long ago: queue and id. */
  readonly #lost = new Set<string>();

  constructor(private readonly deps: ExecutorDeps) {
    this.codec = deps.codec;
    this.#alarm = new Alarm({ clock: deps.clock, onTime: (now) => this.#look(now) });
  }

  /** Calls the handler of a fetched task, or decides at once when there is nothing to call. */
  begin(execution: Execution, now: EpochMs): void {
    if (execution.phase === 'ended') return;
    if (execution.aborted !== undefined) return this.#fail(execution, execution.aborted);
    const { message } = execution;
    let handler: Handler | undefined;
    try {
      handler = this.deps.lookup(message.type);
    } catch (error) {
      // A middleware of the user's failed when it was put around the handler.
      return this.#fail(execution, error);
    }
    if (handler === undefined) return this.#return(execution);
    if (isUnlimited(message)) {
      const text = `Tasks of type "${message.type}" have neither a timeout nor a deadline; 30 minutes are assumed`;
      this.deps.logger.error(text, { kind: `no limit ${message.type}` });
    }
    execution.startedAt = now;
    execution.deadlineAt = runDeadline(message, now);
    if (execution.deadlineAt <= now) {
      execution.abort(new DeadlineExceededError(), now);
      return this.#fail(execution, execution.aborted);
    }
    execution.lookAt = execution.deadlineAt;
    this.#alarm.setBy(execution.lookAt);
    const { events, clock } = this.deps;
    if (events.has('completed')) execution.startedMonotonic = clock.monotonic();
    if (events.has('started')) events.emit('started', { task: subjectOf(message, execution.queue) });
    execution.start(handler);
  }

  onSuccess(execution: Execution, returned: unknown): void {
    const { message } = execution;
    if (execution.isReleased) {
      this.deps.events.emit('lateOutcome', { task: subjectOf(message, execution.queue), outcome: 'success' });
      return this.#fail(execution, execution.aborted);
    }
    const result =
      returned === undefined || message.retentionSeconds <= 0 ? undefined : this.#encode(execution, returned);
    const { events, clock } = this.deps;
    if (events.has('completed')) {
      const task = subjectOf(message, execution.queue);
      const took = ms(clock.monotonic() - execution.startedMonotonic);
      execution.announcement = { name: 'completed', event: { task, elapsed: took } };
    }
    this.#succeed(execution, settleSuccess(message, { result, now: clock.now() }));
  }

  onFailure(execution: Execution, error: unknown): void {
    const decidesItself = execution.aborted === undefined || (!execution.isReleased && isHandlersDecision(error));
    this.#fail(execution, decidesItself ? error : execution.aborted);
  }

  onLateEnd(execution: Execution, outcome: 'success' | 'failure'): void {
    const task = subjectOf(execution.message, execution.queue);
    this.deps.logger.warn(`Task "${task.id}" of type "${task.type}" ended (${outcome}) after it had been given up`, {
      kind: `late end ${task.type}`,
    });
    this.deps.events.emit('lateOutcome', { task, outcome });
    this.deps.slots.freeSlot(execution);
  }

  async writeResult(execution: Execution, result: Uint8Array): Promise<boolean> {
    const { queue, message, takenAt, leaseUntil, leaseAsked } = execution;
    const { work, owner } = this.deps;
    return await work.writeResult({ queue, taskId: message.id, owner, takenAt, leaseUntil, leaseAsked, result });
  }

  /** A running task is to be canceled; without `then` it fails, as in Asynq. */
  cancel(execution: Execution, then: CancelThen | undefined): void {
    if (execution.phase === 'ended') return;
    if (execution.aborted instanceof TaskCanceledError) execution.cancelThen ??= then;
    if (execution.aborted !== undefined) return;
    execution.cancelThen = then;
    this.#abort(execution, new TaskCanceledError());
    this.deps.events.emit('canceled', { task: subjectOf(execution.message, execution.queue) });
  }

  /** Somebody else may have the task now: its handler is told to stop and nothing will be written. */
  loseLease(execution: Execution): void {
    if (execution.isReleased) return;
    execution.isReleased = true;
    if (this.#lost.size >= mostLost) this.#lost.clear();
    this.#lost.add(lostKey(execution.queue, execution.message.id));
    const task = subjectOf(execution.message, execution.queue);
    this.deps.logger.warn(`The lease of task "${task.id}" of type "${task.type}" was lost; its run is told to stop`, {
      kind: 'lease lost',
    });
    this.deps.events.emit('leaseLost', { task });
    if (execution.aborted === undefined) this.#abort(execution, new LeaseExpiredError());
  }

  /** Gives up every run that has not ended; a task that was not told to stop goes back to the head of its queue. */
  putBack(executions: readonly Execution[]): void {
    for (const execution of executions) {
      if (execution.phase !== 'ended') {
        if (execution.aborted === undefined && !execution.isReleased) this.#requeue(execution);
        else this.#fail(execution, execution.aborted);
      }
      execution.finishNow?.();
      this.deps.slots.freeSlot(execution);
    }
  }

  /** Whether a task ran here and its lease was lost not long ago. */
  hasLost(queue: string, taskId: string): boolean {
    return this.#lost.has(lostKey(queue, taskId));
  }

  start(): Promise<void> {
    return Promise.resolve();
  }

  /** Forgets the deadlines of all runs. */
  stop(): Promise<void> {
    this.#alarm.cancel();
    return Promise.resolve();
  }

  #abort(execution: Execution, reason: AbortReason): void {
    const graceEnd = addMs(this.deps.clock.now(), this.deps.options.abortGrace);
    execution.abort(reason, graceEnd);
    this.#alarm.setBy(graceEnd);
  }

  /** Looks for runs past their deadline or grace; answers when to look again. */
  #look(now: EpochMs): EpochMs | undefined {
    let next: EpochMs | undefined;
    for (const execution of this.deps.executions) {
      if (!execution.handlerRuns || execution.phase === 'ended') continue;
      if (execution.lookAt <= now && execution.phase === 'running') this.#abort(execution, new DeadlineExceededError());
      if (execution.lookAt <= now && execution.phase === 'aborted') this.#giveUp(execution, now);
      else if (next === undefined || execution.lookAt < next) next = execution.lookAt;
    }
    return next;
  }

  #giveUp(execution: Execution, now: EpochMs): void {
    const task = subjectOf(execution.message, execution.queue);
    const runningFor = elapsed(execution.startedAt, now);
    this.deps.logger.warn(
      `Task "${task.id}" of type "${task.type}" is stuck: its handler ignores its abort signal after ${runningFor} ms`,
      { kind: `stuck ${task.type}` },
    );
    this.deps.events.emit('stuck', { task, runningFor });
    this.#fail(execution, execution.aborted);
  }

  /** The run has failed: the user hears of it first, then its outcome is decided and written. */
  #fail(execution: Execution, error: unknown): void {
    execution.end();
    const told = this.deps.judge.tellUser(execution, error);
    if (told === undefined) return this.#finish(execution, error);
    execution.finishNow = () => {
      execution.finishNow = undefined;
      this.#finish(execution, error);
    };
    void told.then(() => execution.finishNow?.());
  }

  #finish(execution: Execution, error: unknown): void {
    if (!execution.isReleased) {
      const { settlement, announcement } = this.deps.judge.judge(execution, error);
      execution.announcement = announcement;
      this.deps.settler.add(execution, settlement);
    }
    this.#leave(execution);
  }

  #succeed(execution: Execution, settlement: Settlement): void {
    execution.end();
    this.deps.settler.add(execution, settlement);
    this.#leave(execution);
  }

  #requeue(execution: Execution): void {
    const { message, queue } = execution;
    execution.abort(new TaskAbortedError(), this.deps.clock.now());
    execution.end();
    execution.announcement = { name: 'requeued', event: { task: subjectOf(message, queue) } };
    this.deps.settler.add(execution, { kind: 'requeue', message });
    this.deps.logger.info(`Task "${message.id}" of type "${message.type}" goes back to its queue: the server stops`, {
      kind: 'requeued',
    });
  }

  #return(execution: Execution): void {
    const { message, queue } = execution;
    execution.end();
    if (!this.#unknownTypes.has(message.type)) {
      if (this.#unknownTypes.size >= mostUnknownTypes) this.#unknownTypes.clear();
      this.#unknownTypes.add(message.type);
      this.deps.logger.warn(`No handler here knows type "${message.type}": its tasks go back for another worker`, {
        kind: 'unknown type',
      });
    }
    if (this.deps.events.has('returned')) {
      execution.announcement = { name: 'returned', event: { task: subjectOf(message, queue) } };
    }
    this.deps.settler.add(execution, settleUnknown(message));
    this.deps.slots.letOthersFirst(queue);
    this.#leave(execution);
  }

  /** The outcome is on its way. A handler that is still running keeps its slot, unless the policy gives it away. */
  #leave(execution: Execution): void {
    const { slots, options } = this.deps;
    if (!execution.handlerRuns || options.stuckPolicy === 'release') slots.freeSlot(execution);
    slots.schedule();
  }

  /** The task is done, so a result that does not encode must not fail it. */
  #encode(execution: Execution, returned: unknown): Uint8Array | undefined {
    try {
      return encodePayload(returned, this.codec);
    } catch (error) {
      const { id, type } = execution.message;
      this.deps.logger.error(`The result of task "${id}" of type "${type}" is not kept: ${describeError(error)}`, {
        kind: `result not kept ${type}`,
      });
      return undefined;
    }
  }
}

function lostKey(queue: string, taskId: string): string {
  return JSON.stringify([queue, taskId]);
}
