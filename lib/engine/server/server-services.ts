import type { Broker } from '../../model/broker/broker.js';
import type { ServerStatus } from '../../model/broker/presence.js';
import { strictOrder, weightedOrder } from '../../model/queue/queue-order.js';
import type { PayloadCodec } from '../../model/task/payload.codec.js';
import type { TaskMessage } from '../../model/task/task-message.js';
import type { Clock, Random } from '../../model/time/clock.js';
import type { EpochMs } from '../../model/time/duration.js';
import type { EngineEventEmitter } from '../engine-events.js';
import { BrokerWatch } from '../lifecycle/broker-watch.js';
import type { Service } from '../lifecycle/service.js';
import type { ThrottledLogger } from '../lifecycle/throttled-logger.js';
import { Aggregator } from '../maintenance/aggregator.js';
import { Forwarder } from '../maintenance/forwarder.js';
import type { GroupMux } from '../maintenance/group-mux.js';
import { Janitor } from '../maintenance/janitor.js';
import { Reconciler } from '../maintenance/reconciler.js';
import { type OwnRun, Recoverer } from '../maintenance/recoverer.js';
import { Execution } from './execution.js';
import { Executor } from './executor.js';
import { FailureJudge } from './failure-judge.js';
import type { HandlerLookup } from './handler-lookup.js';
import { HealthChecker } from './health-checker.js';
import { Heartbeater, type ServerIdentity } from './heartbeater.js';
import { Processor } from './processor.js';
import { QueueFeed } from './queue-feed.js';
import { RunningTasks } from './running-tasks.js';
import type { ResolvedServerOptions } from './server-options.js';
import { Settler } from './settler.js';
import { Subscriber } from './subscriber.js';
import { Syncer } from './syncer.js';

export interface ServerServicesDeps {
  readonly broker: Broker;
  readonly options: ResolvedServerOptions;
  readonly identity: ServerIdentity;
  readonly lookup: HandlerLookup;
  /** Which tasks of groups become which tasks; `undefined` leaves groups alone. */
  readonly groups: GroupMux | undefined;
  /** `'none'`: there is no handler, so tasks are left to other servers. */
  readonly fetches: 'tasks' | 'none';
  readonly codec: PayloadCodec;
  readonly clock: Clock;
  readonly random: Random;
  readonly events: EngineEventEmitter;
  readonly logger: ThrottledLogger;
  readonly status: () => ServerStatus;
}

/** The services of one server, wired to each other. */
export interface ServerServices {
  readonly processor: Processor;
  readonly heartbeater: Heartbeater;
  readonly aggregator: Aggregator | undefined;
  /** In the order of starting. */
  readonly startOrder: readonly Service[];
  /** Leases are kept and outcomes written until the last run has ended (spec/03 §4.2). */
  readonly stopOrder: readonly Service[];
}

/** Makes the services of a server; none is started. */
export function createServerServices(deps: ServerServicesDeps): ServerServices {
  const { broker, options, identity, events, logger, clock, random } = deps;
  const { work, maintenance, presence } = broker;
  const owner = `${identity.host}:${identity.pid}:${identity.serverId}`;
  const queues = Object.keys(options.queues).sort((a, b) => weight(options, b) - weight(options, a));
  const executions = new RunningTasks();
  const watch = new BrokerWatch({
    broker,
    clock,
    logger,
    onDown: (error) => events.emit('brokerDown', { error }),
    onBack: (downFor) => events.emit('brokerUp', { downFor }),
  });
  const shared = { clock, logger, link: watch };
  const judge = new FailureJudge({ options, clock, random, logger });

  // Each of these needs the next one only once it works.
  const settler: Settler = new Settler({
    work,
    owner,
    clock,
    events,
    logger,
    executions,
    onUnsettled: (entries) => syncer.add(entries),
    onAnswered: () => processor.outcomesAnswered(),
    onRescheduled: (queue, at) => forwarder.expect(queue, at),
  });
  const syncer = new Syncer({ ...shared, settler });
  const executor = new Executor({
    owner,
    lookup: deps.lookup,
    judge,
    settler,
    work,
    codec: deps.codec,
    clock,
    events,
    logger,
    executions,
    options,
    slots: {
      freeSlot: (execution) => processor.freeSlot(execution),
      schedule: () => processor.schedule(),
      letOthersFirst: (queue) => feed.letOthersFirst(queue),
    },
  });
  const feed = new QueueFeed({
    work,
    queues,
    random,
    clock,
    link: watch,
    order: options.strictPriority ? strictOrder(options.queues) : weightedOrder(options.queues, random),
    strictPriority: options.strictPriority,
    taskCheckInterval: options.taskCheckInterval,
    blockingConnections: options.blockingConnections,
    onWork: () => processor.schedule(),
  });
  const processor: Processor = new Processor({
    ...shared,
    work,
    feed,
    settler,
    events,
    executions,
    owner,
    runs: executor,
    concurrency: options.concurrency,
    shutdownTimeout: options.shutdownTimeout,
    onLostAnswer: (queue) => recoverer.onLostAnswer(queue),
  });
  const forwarder = new Forwarder({
    ...shared,
    maintenance,
    queues,
    every: options.delayedTaskCheckInterval,
    onForwarded: (queue) => feed.wake(queue),
  });
  const recoverer = new Recoverer({
    ...shared,
    maintenance,
    presence,
    queues,
    owner,
    events,
    runOf: (queue, taskId) => runOf(executor, { executions, queue, taskId }),
    decide: (error, { message, now }) =>
      judge.decide(error, { message, now, task: detachedTask(executor, { message, now }) }),
    onRecovered: (queue, dueAt) => (dueAt === undefined ? feed.wake(queue) : forwarder.expect(queue, dueAt)),
  });
  const subscriber = new Subscriber({
    ...shared,
    presence,
    listener: {
      onCancel: (taskId, request) => processor.cancel(taskId, request),
      onWake: (queue) => feed.wake(queue),
      onDue: (queue, dueAt) => forwarder.expect(queue, dueAt),
      onReconnect: () => {
        feed.wakeAll();
        forwarder.wake();
      },
    },
  });
  const heartbeater = new Heartbeater({
    ...shared,
    identity,
    owner,
    work,
    presence,
    executions,
    options,
    events,
    status: deps.status,
    onLeaseLost: (execution) => executor.loseLease(execution),
    onCanceled: (execution, then) => executor.cancel(execution, then),
  });
  const janitor = new Janitor({
    ...shared,
    maintenance,
    queues,
    every: options.janitorInterval,
    batchSize: options.janitorBatchSize,
  });
  const reconciler = new Reconciler({ ...shared, maintenance, queues, random, events });
  const aggregator =
    deps.groups === undefined
      ? undefined
      : new Aggregator({
          ...shared,
          maintenance,
          queues,
          groups: deps.groups,
          limits: {
            gracePeriod: options.groupGracePeriod,
            maxDelay: options.groupMaxDelay,
            maxSize: options.groupMaxSize,
          },
          concurrency: options.groupConcurrency,
          shutdownTimeout: options.shutdownTimeout,
          codec: deps.codec,
          events,
        });
  const aggregators = aggregator === undefined ? [] : [aggregator];
  const health =
    options.healthCheck === undefined
      ? []
      : [
          new HealthChecker({
            ...shared,
            broker,
            healthCheck: options.healthCheck,
            every: options.healthCheckInterval,
          }),
        ];
  return {
    processor,
    heartbeater,
    aggregator,
    startOrder: [
      watch,
      heartbeater,
      ...health,
      subscriber,
      syncer,
      recoverer,
      forwarder,
      executor,
      ...(deps.fetches === 'tasks' ? [processor] : []),
      janitor,
      reconciler,
      ...aggregators,
    ],
    stopOrder: [
      forwarder,
      processor,
      executor,
      recoverer,
      syncer,
      subscriber,
      janitor,
      reconciler,
      ...aggregators,
      ...health,
      heartbeater,
      watch,
    ],
  };
}

function weight(options: ResolvedServerOptions, queue: string): number {
  return options.queues[queue] ?? 0;
}

function runOf(
  executor: Executor,
  {
    executions,
    queue,
    taskId,
  }: { readonly executions: Iterable<Execution>; readonly queue: string; readonly taskId: string },
): OwnRun {
  for (const execution of executions) {
    if (execution.message.id !== taskId || execution.queue !== queue) continue;
    return execution.isReleased ? 'lost' : 'held';
  }
  return executor.hasLost(queue, taskId) ? 'lost' : 'none';
}

/** The view of a task that does not run here, for the user's callbacks. */
function detachedTask(
  executor: Executor,
  { message, now }: { readonly message: TaskMessage; readonly now: EpochMs },
): Execution['task'] {
  const execution = new Execution(executor, { message, queue: message.queue, takenAt: now, leaseUntil: now });
  execution.end();
  return execution.task;
}
