import { TaskRequests } from '../engine/client/task-requests.js';
import { EngineEventEmitter } from '../engine/engine-events.js';
import { ThrottledLogger } from '../engine/lifecycle/throttled-logger.js';
import type { Outcome } from '../engine/outcome/outcome.js';
import { FailureCallbacks } from '../engine/server/failure-callbacks.js';
import { FailureLog } from '../engine/server/failure-log.js';
import { handlerLookup } from '../engine/server/handler-lookup.js';
import { RunJudge } from '../engine/server/run-judge.js';
import { RunStarter } from '../engine/server/run-starter.js';
import { RunStopper } from '../engine/server/run-stopper.js';
import { Run, type RunHost } from '../engine/server/run.js';
import { InternalError } from '../model/errors/asynq-error.js';
import { encodingCodec, type PayloadCodec } from '../model/task/payload.codec.js';
import type { TaskDefinition } from '../model/task/task-definition.js';
import type { TaskMessage } from '../model/task/task-message.js';
import type { EnqueueOptions } from '../model/task/task-options.js';
import type { Clock, Random } from '../model/time/clock.js';
import { elapsed, epochMs } from '../model/time/duration.js';
import type { AsynqInstance } from '../nest/asynq-instance.js';

/** Options of {@link AsynqTestKit.run}. */
export interface RunOptions extends Omit<EnqueueOptions, 'processAt' | 'processIn' | 'unique'> {
  /** Failures that were counted before this run. Default 0. */
  readonly retried?: number | undefined;
  /** Name of the instance whose handlers are used. Default: the default one, or the only one. */
  readonly instance?: string | undefined;
}

/** The outcome of a run. Durations are in milliseconds. */
export type RunOutcome =
  | { readonly outcome: 'completed'; readonly result: unknown }
  | { readonly outcome: 'retry'; readonly error: unknown; readonly retryIn: number; readonly retryAt: Date }
  | { readonly outcome: 'archived'; readonly error: unknown }
  | { readonly outcome: 'revoked'; readonly error: unknown }
  | { readonly outcome: 'snoozed'; readonly snoozedFor: number; readonly until: Date }
  /** No handler for the type, so the task would go back for another worker. */
  | { readonly outcome: 'returned' };

export interface SingleRunDeps {
  readonly instance: AsynqInstance;
  readonly clock: Clock;
  readonly random: Random;
}

/** What is run. */
export interface SingleRunRequest {
  readonly task: string | TaskDefinition;
  readonly payload: unknown;
  readonly options: RunOptions;
}

const endOfTime = epochMs(Number.MAX_SAFE_INTEGER);

/** Runs one task as a worker does, mux, middleware and Nest's own tools included, without any queue. */
export async function runSingle(deps: SingleRunDeps, request: SingleRunRequest): Promise<RunOutcome> {
  const message = await messageOf(deps, request);
  return await new Promise<RunOutcome>((resolve) => new SingleRun(deps, resolve).begin(message));
}

/** The path of a task without its broker: begin, run, judge. */
class SingleRun implements RunHost {
  readonly codec: PayloadCodec;
  readonly clock: Clock;
  readonly #runs: Run[] = [];
  readonly #logger: ThrottledLogger;
  readonly #stopper: RunStopper;
  readonly #starter: RunStarter;
  readonly #judge: RunJudge;

  constructor(
    { instance, clock, random }: SingleRunDeps,
    private readonly done: (outcome: RunOutcome) => void,
  ) {
    const { options } = instance.server;
    const logger = (this.#logger = new ThrottledLogger({ logger: instance.logger, clock }));
    const events = new EngineEventEmitter(() => undefined);
    const { strictPayload } = options;
    this.codec = encodingCodec(instance.options.codec, { strictPayload, encoded: 'result' });
    this.clock = clock;
    this.#stopper = new RunStopper({ runs: this.#runs, clock, events, logger, options });
    const lookup = handlerLookup(instance.mux, options);
    this.#starter = new RunStarter({ lookup, stopper: this.#stopper, events, logger });
    const callbacks = new FailureCallbacks({ options, clock, random, logger });
    this.#judge = new RunJudge({
      callbacks,
      failures: new FailureLog({ logger, levels: options.failureLogs }),
      codec: this.codec,
      events,
      logger,
    });
  }

  begin(message: TaskMessage): void {
    const now = this.clock.now();
    // Nobody extends this lease, and nobody else can take it.
    const lease = { kind: 'ours', takenAt: now, leaseUntil: endOfTime, leaseAsked: endOfTime } as const;
    const run = new Run(this, { message, queue: message.queue, lease });
    this.#runs.push(run);
    this.#starter.begin(run, now);
  }

  ended(run: Run): void {
    const { state } = run;
    if (state.phase !== 'ended') return;
    const verdict = this.#judge.judge(run, { state, now: this.clock.now() });
    if (verdict instanceof Promise) {
      run.reported();
      void verdict.then(() => this.ended(run));
      return;
    }
    if (verdict === 'none') throw new InternalError('A run without a queue lost its lease');
    run.settle(verdict);
    void this.#stopper.stop();
    this.#logger.stop();
    const result = state.how === 'success' ? state.returned : undefined;
    this.done(outcomeOf(verdict, { result, clock: this.clock }));
  }

  endedLate(): void {
    // Its outcome is known already.
  }

  writeResult(): Promise<boolean> {
    return Promise.resolve(true);
  }
}

async function messageOf(
  { instance, clock }: SingleRunDeps,
  { task, payload, options: { retried = 0, instance: _instance, ...options } }: SingleRunRequest,
): Promise<TaskMessage> {
  const { client, codec: given } = instance.options;
  const { defaults, strictPayload } = client;
  const codec = encodingCodec(given, { strictPayload, encoded: 'payload' });
  const { message } = await new TaskRequests({ codec, clock, defaults }).of(task, payload, options);
  return { ...message, retried };
}

function outcomeOf(
  { settlement, announcement }: Outcome,
  run: { readonly result: unknown; readonly clock: Clock },
): RunOutcome {
  const now = run.clock.now();
  if (announcement === undefined) {
    const { kind } = settlement;
    if (kind === 'requeue') return { outcome: 'returned' };
    if (kind === 'done' || kind === 'complete') return { outcome: 'completed', result: run.result };
    throw new InternalError(`A run without a queue ended as ${kind}`);
  }
  const { name, event } = announcement;
  if (name === 'retry') {
    const { error, retryAt } = event;
    return { outcome: 'retry', error, retryIn: elapsed(now, retryAt), retryAt: new Date(retryAt) };
  }
  if (name === 'archived' || name === 'revoked') return { outcome: name, error: event.error };
  if (name === 'snoozed') {
    return { outcome: 'snoozed', snoozedFor: elapsed(now, event.until), until: new Date(event.until) };
  }
  throw new InternalError(`A run without a queue announced ${name}`);
}
