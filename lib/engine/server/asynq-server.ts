import type { ServerStatus } from '../../model/broker/presence.js';
import { EngineEventEmitter } from '../engine-events.js';
import type { Handler } from '../middleware.js';
import type { ServerConnection, ServerOptions } from './server-options.js';
import type { TaskMux } from './task-mux.js';

/**
 * Processes tasks: fetches them from its queues, runs their handlers and writes what became of them.
 *
 * @example
 * const server = new AsynqServer({ redis: 'redis://localhost:6379', concurrency: 20, queues: { critical: 6, default: 3 } });
 * await server.run(new TaskMux().handle('email:send', sendMail)); // until SIGTERM or SIGINT
 */
export class AsynqServer {
  /** A random UUID, new for every server. */
  readonly id!: string;
  /** Tells what happens to tasks and to the server. */
  readonly events!: EngineEventEmitter;

  /**
   * Checks the options; does nothing else.
   *
   * @throws InvalidOptionError naming the option, what was given and what is allowed.
   */
  // The body follows in the commit that builds the services.
  constructor(readonly options: ServerOptions & ServerConnection) {}

  /** Where the server is in its life (spec/03 §2). */
  get status(): ServerStatus {
    throw new Error('not built yet');
  }

  /**
   * Starts to process tasks. A {@link TaskMux} tells which types this server knows; a function knows every type.
   *
   * @throws InvalidOptionError without a handler. InvalidStateError when it runs or was stopped. ServerClosedError
   * after {@link shutdown}. BrokerUnavailableError when Redis cannot be reached, unless `waitForRedis` is set.
   */
  start(_handler: Handler | TaskMux): Promise<void> {
    throw new Error('not built yet');
  }

  /** Stops fetching; what runs goes on, and everything else keeps working. Resolves once nothing is fetched any more. */
  stop(): Promise<void> {
    throw new Error('not built yet');
  }

  /**
   * Stops for good: no more fetching, up to `shutdownTimeout` for what runs, then the rest is aborted and put back at
   * the head of its queue with no retry spent. When it resolves nothing of the server is left.
   */
  shutdown(): Promise<void> {
    throw new Error('not built yet');
  }

  /**
   * Starts, waits for SIGTERM or SIGINT, shuts down. A second signal ends the process at once; SIGTSTP only stops
   * fetching.
   */
  run(_handler: Handler | TaskMux): Promise<void> {
    throw new Error('not built yet');
  }

  /** One round trip to Redis; after {@link shutdown} it succeeds without one. @throws BrokerUnavailableError. */
  ping(): Promise<void> {
    throw new Error('not built yet');
  }
}
