import { resolveClientOptions } from '../engine/client/client-options.js';
import { TaskRequests } from '../engine/client/task-requests.js';
import { EngineEventEmitter } from '../engine/engine-events.js';
import { ThrottledLogger } from '../engine/lifecycle/throttled-logger.js';
import type { Handler } from '../engine/middleware.js';
import { Execution } from '../engine/server/execution.js';
import { Executor } from '../engine/server/executor.js';
import { FailureJudge } from '../engine/server/failure-judge.js';
import { handlerLookup } from '../engine/server/handler-lookup.js';
import type { Settlement } from '../model/broker/work.contract.js';
import { InternalError } from '../model/errors/asynq-error.js';
import { jsonCodec } from '../model/task/payload.codec.js';
import type { TaskDefinition } from '../model/task/task-definition.js';
import type { TaskMessage } from '../model/task/task-message.js';
import type { EnqueueOptions } from '../model/task/task-options.js';
import type { Clock, Random } from '../model/time/clock.js';
import { addMs, elapsed, ms } from '../model/time/duration.js';
import type { AsynqInstance } from '../nest/asynq-instance.js';

/** How {@link AsynqTestKit.run} runs a task. */
export interface RunOptions extends Omit<EnqueueOptions, 'processAt' | 'processIn' | 'unique'> {
  /** Failures that were counted before this run. Default 0. */
  readonly retried?: number;
  /** Name of the instance whose handlers are meant. Default: the default one, or the only one. */
  readonly instance?: string;
}

/** What became of a run. Lengths of time are milliseconds. */
export type RunOutcome =
  | { readonly outcome: 'completed'; readonly result: unknown }
  | { readonly outcome: 'retry'; readonly error: unknown; readonly retryIn: number; readonly retryAt: Date }
  | { readonly outcome: 'archived'; readonly error: unknown }
  | { readonly outcome: 'revoked'; readonly error: unknown }
  | { readonly outcome: 'snoozed'; readonly snoozedFor: number; readonly until: Date }
  /** No handler knows the type, so the task would go back for another worker. */
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

/** Runs one task as a worker does, mux, middleware and Nest's own tools included, without any queue. */
export async function runSingle(deps: SingleRunDeps, request: SingleRunRequest): Promise<RunOutcome> {
  const { instance, clock, random } = deps;
  const { server, mux } = instance;
  const logger = new ThrottledLogger({ logger: instance.logger, clock });
  const { options } = server;
  const message = await messageOf(deps, request);
  let result: unknown;
  const lookup = handlerLookup(mux, options);
  const executions: Execution[] = [];
  return await new Promise<RunOutcome>((resolve) => {
    const executor: Executor = new Executor({
      lookup: (type) => noting(lookup(type), (returned) => (result = returned)),
      judge: new FailureJudge({ options, clock, random, logger }),
      settler: {
        add: (execution, settlement) => {
          void executor.stop();
          logger.stop();
          resolve(outcomeOf(execution, { settlement, result, clock }));
        },
      },
      owner: '',
      work: { writeResult: () => Promise.resolve(true) },
      codec: instance.options.codec ?? jsonCodec,
      clock,
      events: new EngineEventEmitter(() => undefined),
      logger,
      executions,
      options,
      slots: { freeSlot: () => undefined, schedule: () => undefined, letOthersFirst: () => undefined },
    });
    const now = clock.now();
    // Nobody extends this lease, and nobody else can want it.
    const source = { message, queue: message.queue, takenAt: now, leaseUntil: addMs(now, ms(Number.MAX_SAFE_INTEGER)) };
    const execution = new Execution(executor, source);
    executions.push(execution);
    executor.begin(execution, now);
  });
}

async function messageOf(
  { instance, clock }: SingleRunDeps,
  { task, payload, options: { retried = 0, instance: _instance, ...options } }: SingleRunRequest,
): Promise<TaskMessage> {
  const { codec, defaults } = resolveClientOptions({
    ...instance.options.client,
    ...(instance.options.codec === undefined ? {} : { codec: instance.options.codec }),
  });
  const { message } = await new TaskRequests({ codec, clock, defaults }).of(task, payload, options);
  return { ...message, retried };
}

function noting(handler: Handler | undefined, note: (returned: unknown) => void): Handler | undefined {
  if (handler === undefined) return undefined;
  return (task) => {
    const returned = handler(task);
    if (!(returned instanceof Promise)) {
      note(returned);
      return returned;
    }
    return returned.then((value: unknown) => {
      note(value);
      return value;
    });
  };
}

function outcomeOf(
  { announcement }: Execution,
  run: { readonly settlement: Settlement; readonly result: unknown; readonly clock: Clock },
): RunOutcome {
  const now = run.clock.now();
  if (announcement === undefined) {
    const { kind } = run.settlement;
    if (kind === 'return') return { outcome: 'returned' };
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
