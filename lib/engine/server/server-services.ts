import type { Broker } from '../../model/broker/broker.js';
import { type ServerIdentity, serverName, type ServerStatus } from '../../model/broker/presence.js';
import { strictOrder, weightedOrder } from '../../model/queue/queue-order.js';
import { encodingCodec, type PayloadCodec } from '../../model/task/payload.codec.js';
import type { TaskPattern } from '../../model/task/task-pattern.js';
import type { Clock, Random } from '../../model/time/clock.js';
import type { EngineEventEmitter } from '../engine-events.js';
import { BrokerMonitor } from '../lifecycle/broker-monitor.js';
import { ClockMonitor } from '../lifecycle/clock-monitor.js';
import type { Service } from '../lifecycle/service.js';
import type { ThrottledLogger } from '../lifecycle/throttled-logger.js';
import { Aggregator } from '../maintenance/aggregator.js';
import { Forwarder } from '../maintenance/forwarder.js';
import type { GroupMux } from '../maintenance/group-mux.js';
import { Janitor } from '../maintenance/janitor.js';
import { MaintenanceLeases } from '../maintenance/maintenance-leases.js';
import { Reconciler } from '../maintenance/reconciler.js';
import { Recoverer } from '../maintenance/recoverer.js';
import { StorageReporter } from '../storage-reporter.js';
import { ClockGuard } from './clock-guard.js';
import { FailureCallbacks } from './failure-callbacks.js';
import { FailureLog } from './failure-log.js';
import { Fetcher } from './fetcher.js';
import { detachedTask } from './handler-task.js';
import type { HandlerLookup } from './handler-lookup.js';
import { HealthChecker } from './health-checker.js';
import { Heartbeater } from './heartbeater.js';
import { LeaseKeeper } from './lease-keeper.js';
import { OutcomeWriter } from './outcome-writer.js';
import { Processor, sliceOf } from './processor.js';
import { QueueFeed } from './queue-feed.js';
import { RunJudge } from './run-judge.js';
import { RunList } from './run-list.js';
import { RunStarter } from './run-starter.js';
import { RunStopper } from './run-stopper.js';
import type { ResolvedServerOptions } from './server-options.js';
import { InternalEvents } from './internal-events.js';
import { Settler } from './settler.js';
import { Subscriber } from './subscriber.js';
import { Syncer } from './syncer.js';
import { UnknownTypes } from './unknown-types.js';

export interface ServerServicesDeps {
  readonly broker: Broker;
  readonly options: ResolvedServerOptions;
  readonly identity: ServerIdentity;
  readonly lookup: HandlerLookup;
  /** The patterns of the tasks that this server takes; `undefined` for a handler of every type. */
  readonly patterns: (() => readonly TaskPattern[]) | undefined;
  /** The aggregators of groups; `undefined` leaves groups alone. */
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

/** The services of one server, wired together. */
export interface ServerServices {
  readonly processor: Processor;
  readonly heartbeater: Heartbeater;
  readonly aggregator: Aggregator | undefined;
  /** In the order of starting. */
  readonly startOrder: readonly Service[];
  /** Leases are kept and outcomes written until the last run has ended (S-65). */
  readonly stopOrder: readonly Service[];
}

/** Creates the services of a server; none is started. */
export function createServerServices(deps: ServerServicesDeps): ServerServices {
  const { broker, options, identity, events, logger, clock, random } = deps;
  const codec = encodingCodec(deps.codec, { strictPayload: options.strictPayload, encoded: 'result' });
  const { work, maintenance, presence } = broker;
  const owner = serverName(identity);
  const queues = Object.keys(options.queues).sort((a, b) => weight(options, b) - weight(options, a));
  const runs = new RunList();
  const brokerMonitor = new BrokerMonitor({
    broker,
    clock,
    logger,
    onDown: (error) => events.emit('brokerDown', { error }),
    onBack: (downFor) => events.emit('brokerUp', { downFor }),
  });
  const storageReporter = new StorageReporter({ broker, events, logger });
  const clockMonitor = new ClockMonitor({
    broker,
    clock,
    logger,
    whileFarOff: '. Until then this server takes no tasks and recovers none',
    onOff: (offset, state) => events.emit('clockOff', { offset, tasks: state === 'far-off' ? 'left' : 'taken' }),
    onRight: (offset) => events.emit('clockRight', { offset }),
  });
  const clockGuard = new ClockGuard({ brokerMonitor, clockMonitor, clock });
  const shared = { clock, logger, brokerMonitor };
  // These services act on other workers' tasks by the clock.
  const byClock = { clock, logger, brokerMonitor: clockGuard };
  const callbacks = new FailureCallbacks({ options, clock, random, logger });

  // Each service is handed those that it calls; what it has to tell others goes through the internal events.
  const internalEvents = new InternalEvents();
  const stopper = new RunStopper({ runs, clock, events, logger, options });
  const leases = new LeaseKeeper({ work, owner, runs, stopper, events, logger });
  const writer = new OutcomeWriter({ work, owner, internalEvents, clock, events, logger });
  const syncer = new Syncer({ ...shared, writer });
  const settler = new Settler({ writer, syncer });
  const feed = new QueueFeed({
    work,
    queues,
    random,
    ...byClock,
    order: options.strictPriority ? strictOrder(options.queues) : weightedOrder(options.queues, random),
    strictPriority: options.strictPriority,
    concurrency: options.concurrency,
    taskCheckInterval: options.taskCheckInterval,
    blockingConnections: options.blockingConnections,
    unknownTypes:
      deps.patterns === undefined ? undefined : new UnknownTypes({ patterns: deps.patterns, clock, logger }),
    onWork: () => internalEvents.emit('work', undefined),
  });
  const processor = new Processor({
    ...byClock,
    work,
    owner,
    feed,
    fetcher: new Fetcher({ work, feed, internalEvents, events, logger, owner, slice: sliceOf(options.concurrency) }),
    starter: new RunStarter({ lookup: deps.lookup, stopper, events, logger }),
    stopper,
    leases,
    judge: new RunJudge({
      callbacks,
      failures: new FailureLog({ logger, levels: options.failureLogs }),
      codec,
      events,
      logger,
    }),
    settler,
    internalEvents,
    events,
    runs,
    codec,
    options,
  });
  const maintained = new MaintenanceLeases({
    ...byClock,
    maintenance,
    presence,
    queues,
    owner,
    random,
    onGained: () => internalEvents.emit('maintains', undefined),
  });
  const forwarder = new Forwarder({
    ...byClock,
    maintenance,
    queues,
    random,
    leases: maintained,
    every: options.delayedTaskCheckInterval,
    onForwarded: (queue) => feed.wake(queue),
  });
  internalEvents.on('delayed', ({ queue, until }) => forwarder.expect(queue, until));
  const recoverer = new Recoverer({
    ...byClock,
    maintenance,
    presence,
    leases: maintained,
    owner,
    codec,
    events,
    ownRuns: (queue) => leases.ownRuns(queue),
    policyFor: (message) => callbacks.policyFor(detachedTask(message, codec)),
    onRecovered: (queue, dueAt) => (dueAt === undefined ? feed.wake(queue) : forwarder.expect(queue, dueAt)),
  });
  internalEvents.on('maintains', () => {
    forwarder.wake();
    recoverer.wake();
  });
  internalEvents.on('lostAnswer', ({ queue, leaseUntil }) => recoverer.onLostAnswer(queue, leaseUntil));
  const subscriber = new Subscriber({
    ...shared,
    presence,
    listener: {
      onCancel: (taskId, request) => processor.cancel(taskId, request),
      onWake: (queue) => feed.wake(queue),
      onDue: (queue, dueAt) => forwarder.hear(queue, dueAt),
      onMaintenance: (news) => maintained.hear(news),
      onReconnect: () => {
        feed.wakeAll();
        forwarder.lookAtAll();
      },
    },
  });
  const heartbeater = new Heartbeater({
    ...shared,
    identity,
    clockMonitor,
    clockGuard,
    leases,
    presence,
    runs,
    options,
    groups: deps.groups,
    events,
    status: deps.status,
  });
  const janitor = new Janitor({
    ...byClock,
    maintenance,
    leases: maintained,
    every: options.janitorInterval,
    batchSize: options.janitorBatchSize,
  });
  const reconciler = new Reconciler({ ...byClock, maintenance, leases: maintained, random, events });
  const aggregator =
    deps.groups === undefined
      ? undefined
      : new Aggregator({
          ...byClock,
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
          codec: encodingCodec(deps.codec, { strictPayload: options.strictPayload, encoded: 'payload' }),
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
            clockMonitor,
            healthCheck: options.healthCheck,
            every: options.healthCheckInterval,
          }),
        ];
  return {
    processor,
    heartbeater,
    aggregator,
    startOrder: [
      brokerMonitor,
      storageReporter,
      clockGuard,
      heartbeater,
      ...health,
      subscriber,
      syncer,
      maintained,
      recoverer,
      forwarder,
      stopper,
      ...(deps.fetches === 'tasks' ? [processor] : []),
      janitor,
      reconciler,
      ...aggregators,
    ],
    // Others are to maintain the queues while the last runs of this server end.
    stopOrder: [
      maintained,
      forwarder,
      processor,
      stopper,
      recoverer,
      syncer,
      subscriber,
      janitor,
      reconciler,
      ...aggregators,
      ...health,
      heartbeater,
      clockGuard,
      storageReporter,
      brokerMonitor,
    ],
  };
}

function weight(options: ResolvedServerOptions, queue: string): number {
  return options.queues[queue] ?? 0;
}
