import { randomUUID } from 'node:crypto';
import type { Broker } from '../../model/broker/broker.js';
import type { ServerStatus } from '../../model/broker/presence.js';
import { BrokerUnavailableError } from '../../model/errors/broker-errors.js';
import { forCaller, showCaller } from '../../model/errors/caller-stack.js';
import { InvalidOptionError } from '../../model/errors/option-errors.js';
import { InvalidStateError, ServerClosedError } from '../../model/errors/state-errors.js';
import { Resolved } from '../../model/options/resolved.js';
import { describeError } from '../../model/retry/describe-error.js';
import { brokerOf, type ResolvedConnectionOptions } from '../connection-options.js';
import { EngineEventEmitter } from '../engine-events.js';
import { waitForBroker } from '../lifecycle/wait-for-broker.js';
import { ServiceGroup } from '../lifecycle/service-group.js';
import type { GroupMux } from '../maintenance/group-mux.js';
import type { Handler } from '../middleware.js';
import { handlerLookup } from './handler-lookup.js';
import { identityOf } from './heartbeater.js';
import {
  type ResolvedServer,
  type ResolvedServerOptions,
  resolveServer,
  type AsynqServerOptions,
} from './server-options.js';
import { createServerServices, type ServerServices } from './server-services.js';
import { listenForSignals } from './shutdown-signals.js';
import { startMessage } from './start-message.js';
import { TaskMux } from './task-mux.js';

/**
 * Processes tasks: fetches them from its queues, runs their handlers and writes their outcomes.
 *
 * @example
 * const server = new AsynqServer({ redis: 'redis://localhost:6379', concurrency: 20, queues: { critical: 6, default: 3 } });
 * await server.run(new TaskMux().handle('email:send', sendMail)); // until SIGTERM or SIGINT
 */
export class AsynqServer {
  /** A random UUID, new for every server. */
  readonly id = randomUUID();
  /** Announces what happens to tasks and to the server. */
  readonly events: EngineEventEmitter;
  /** The options in force. */
  readonly options: ResolvedServerOptions;
  readonly #connection: ResolvedConnectionOptions;
  readonly #groups: GroupMux;
  #status: ServerStatus = 'new';
  #broker: Broker | undefined;
  #services: ServerServices | undefined;
  #group: ServiceGroup | undefined;
  /** Settles once the services have started or failed to. */
  #started: Promise<void> = Promise.resolve();
  #closing: Promise<void> | undefined;
  /** Aborts a start that waits for Redis. */
  readonly #giveUp = new AbortController();

  /**
   * Checks the options; does nothing else.
   *
   * @throws InvalidOptionError naming the option, its value and what is allowed.
   */
  constructor(options?: AsynqServerOptions);
  /** @internal */
  constructor(options: Resolved<ResolvedServer>);
  constructor(options: AsynqServerOptions | Resolved<ResolvedServer> = {}) {
    const resolved = options instanceof Resolved ? options.options : resolveServer(options);
    this.options = resolved.options;
    this.#connection = resolved.connection;
    this.#groups = resolved.groups;
    this.events = new EngineEventEmitter((event, error) =>
      this.#connection.logger.error(`A listener of "${event}" failed: ${describeError(error)}`, {
        kind: `listener failed ${event}`,
      }),
    );
  }

  /** The state of the server (S-11). */
  get status(): ServerStatus {
    return this.#status;
  }

  /**
   * Starts processing tasks. A {@link TaskMux} defines which types this server handles; a function handles every type.
   *
   * @throws InvalidOptionError without a handler. InvalidStateError when it is running or was stopped.
   * ServerClosedError after {@link shutdown}. BrokerUnavailableError when Redis cannot be reached, unless
   * `waitForRedis` is set.
   */
  async start(handler: Handler | TaskMux): Promise<void> {
    if (typeof handler !== 'function' && !(handler instanceof TaskMux)) {
      throw new InvalidOptionError({
        path: 'AsynqServer: handler',
        value: handler,
        allowed: 'a function or a TaskMux',
      });
    }
    if (this.#status === 'closed') throw new ServerClosedError();
    if (this.#status === 'active') throw new InvalidStateError('The server is already running');
    if (this.#status === 'stopped')
      throw new InvalidStateError('The server was stopped and cannot be started again; shut it down');
    this.#status = 'active';
    this.#connection.logger.start();
    const broker = this.#openedBroker();
    this.#started = this.options.waitForRedis
      ? this.#workWhenReachable(broker, handler)
      : this.#openAndWork(broker, handler);
    try {
      await this.#started;
    } catch (error) {
      this.#connection.logger.stop();
      await this.#closeBroker();
      if (this.status === 'closed') throw new ServerClosedError({ cause: error });
      this.#status = 'new';
      throw forCaller(error);
    }
  }

  /** Stops fetching; running tasks and all other services continue. Resolves once nothing is fetched any more. */
  async stop(): Promise<void> {
    if (this.#status !== 'active') return;
    this.#status = 'stopped';
    this.#connection.logger.info('Stopped fetching tasks');
    await this.#services?.processor.stopFetching();
    this.#services?.heartbeater.wake();
  }

  /**
   * Stops for good: stops fetching, waits up to `shutdownTimeout` for running tasks, then aborts the rest and puts them
   * back at the head of their queue without using up a retry. When it resolves, nothing of the server is left.
   */
  async shutdown(): Promise<void> {
    // A server that never started can still be started afterwards; only what a ping opened is closed.
    if (this.#status === 'new') return await this.#closeBroker();
    this.#status = 'closed';
    this.#closing ??= this.#close();
    await this.#closing;
  }

  /**
   * Starts, waits for SIGTERM or SIGINT, shuts down. A second signal ends the process at once; SIGTSTP only stops
   * fetching.
   *
   * @throws whatever {@link start} throws.
   */
  async run(handler: Handler | TaskMux): Promise<void> {
    const signals = listenForSignals({ clock: this.#connection.clock, onStop: () => void this.stop() });
    // Listens from the beginning: a start that waits for Redis must not outlive the signal.
    let isAsked = false;
    const shutDownWhenAsked = async (): Promise<void> => {
      await signals.ended;
      isAsked = true;
      await this.shutdown();
    };
    const ended = shutDownWhenAsked();
    try {
      await this.start(handler).catch((error: unknown) => {
        if (!isAsked) throw error;
      });
      await ended;
    } finally {
      signals.dispose();
    }
  }

  /** Makes one round trip to Redis; after {@link shutdown} it succeeds without one. @throws BrokerUnavailableError. */
  async ping(): Promise<void> {
    if (this.#status === 'closed') return;
    const broker = this.#openedBroker();
    await showCaller(broker.open());
    await showCaller(broker.ping());
  }

  #openedBroker(): Broker {
    return (this.#broker ??= brokerOf(this.#connection, this.options));
  }

  async #openAndWork(broker: Broker, handler: Handler | TaskMux): Promise<void> {
    const { clock, logger } = this.#connection;
    await waitForBroker(broker, { clock, logger, signal: this.#giveUp.signal, tries: 'once' });
    await this.#work(broker, handler);
  }

  /** Starts the services, which rest until Redis can be reached, however long that takes. */
  async #workWhenReachable(broker: Broker, handler: Handler | TaskMux): Promise<void> {
    await this.#work(broker, handler);
    broker.open().catch((error: unknown) => {
      // If Redis is just unreachable, the broker monitor logs it and the connection keeps trying.
      if (this.#status === 'closed' || error instanceof BrokerUnavailableError) return;
      this.#connection.logger.error(`Redis cannot be used: ${describeError(error)}`);
    });
  }

  async #work(broker: Broker, handler: Handler | TaskMux): Promise<void> {
    if (this.#status === 'closed') throw new ServerClosedError();
    const { codec, clock, random, logger } = this.#connection;
    const { options, events } = this;
    const groups = this.#groups.isEmpty ? undefined : this.#groups;
    // Fetching without a handler would only delay tasks for workers that have one.
    const isIdle = groups !== undefined && handler instanceof TaskMux && handler.patterns.length === 0;
    const services = createServerServices({
      broker,
      groups,
      fetches: isIdle ? 'none' : 'tasks',
      options,
      events,
      codec,
      clock,
      random,
      logger,
      identity: identityOf(this.id),
      lookup: handlerLookup(handler, options),
      patterns: handler instanceof TaskMux && options.unknownTask === 'return' ? () => handler.patterns : undefined,
      status: () => this.#status,
    });
    this.#services = services;
    this.#group = new ServiceGroup({ services: services.startOrder, stopOrder: services.stopOrder, logger });
    await this.#group.start();
    if (this.#status !== 'active') await services.processor.stopFetching();
    if (options.janitorBatchSize > 100) logger.warn('janitorBatchSize above 100 may keep Redis busy for long');
    logger.info(startMessage({ place: broker.describe(), options, handler, groups: this.#groups, fetches: !isIdle }));
  }

  async #close(): Promise<void> {
    const { logger } = this.#connection;
    logger.info('Shutting down');
    this.#giveUp.abort();
    this.#services?.aggregator?.stopCollecting();
    // Other programs see at once that this server takes no more tasks.
    this.#services?.heartbeater.wake();
    await this.#started.catch(() => undefined);
    await this.#group?.stop();
    await this.#closeBroker();
    logger.stop();
    logger.info('Shut down');
  }

  async #closeBroker(): Promise<void> {
    const broker = this.#broker;
    this.#broker = undefined;
    if (broker !== undefined && this.#connection.connection.kind === 'own') await broker.close();
  }
}
