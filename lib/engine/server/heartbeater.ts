import { hostname } from 'node:os';
import type { ServerInfo, ServerStatus, WorkerInfo } from '../../model/broker/presence.js';
import type { CancelThen, PresenceContract } from '../../model/broker/presence.contract.js';
import type { WorkContract } from '../../model/broker/work.contract.js';
import type { Clock } from '../../model/time/clock.js';
import { type EpochMs, ms, type Ms } from '../../model/time/duration.js';
import type { EngineEventEmitter } from '../engine-events.js';
import type { BrokerLink } from '../lifecycle/broker-watch.js';
import { PeriodicService } from '../lifecycle/periodic-service.js';
import type { ThrottledLogger } from '../lifecycle/throttled-logger.js';
import { type Execution, subjectOf } from './execution.js';
import { keepLeases } from './lease-keeping.js';
import type { ResolvedServerOptions } from './server-options.js';

/** Who a server is, in Redis and in log lines. */
export interface ServerIdentity {
  readonly host: string;
  readonly pid: number;
  readonly serverId: string;
}

/** The identity of a server of this process. */
export function identityOf(serverId: string): ServerIdentity {
  return { host: hostname() || 'unknown-host', pid: process.pid, serverId };
}

export interface HeartbeaterDeps {
  readonly identity: ServerIdentity;
  /** The same as `host:pid:server-id`. */
  readonly owner: string;
  readonly work: Pick<WorkContract, 'extendLeases'>;
  readonly presence: Pick<PresenceContract, 'publishServer' | 'clearServer'>;
  readonly executions: Iterable<Execution>;
  readonly options: Pick<ResolvedServerOptions, 'concurrency' | 'queues' | 'strictPriority'>;
  readonly clock: Clock;
  readonly link: BrokerLink;
  readonly events: EngineEventEmitter;
  readonly logger: ThrottledLogger;
  readonly status: () => ServerStatus;
  /** A task is somebody else's now. */
  readonly onLeaseLost: (execution: Execution) => void;
  /** A task was canceled; its run may have been told already. */
  readonly onCanceled: (execution: Execution, then: CancelThen) => void;
}

const beatEvery = ms(5_000);
const publishedFor = ms(10_000);
/** A beat that comes this late was kept from coming by something that blocks the event loop. */
const blockedWhenLate = ms(1_000);
const mostNamed = 20;

/**
 * Keeps the leases of running tasks, and publishes that this server lives and what it runs: at the start and every 5 s
 * (spec/03 §8). A run whose lease is gone, or has run out and cannot be kept, is lost. A beat that comes late tells of
 * a handler that blocks the event loop.
 */
export class Heartbeater extends PeriodicService {
  readonly #deps: HeartbeaterDeps;
  readonly #startedAt: EpochMs;
  /** When the next beat is to come, by the monotonic clock. */
  #nextBeat: Ms | undefined;

  constructor(deps: HeartbeaterDeps) {
    const { clock, logger, link } = deps;
    super({ name: 'heartbeat', every: beatEvery, first: 'at-once', whileDown: 'run', clock, logger, link });
    this.#deps = deps;
    this.#startedAt = clock.now();
  }

  override async runOnce(): Promise<undefined> {
    const { clock, link } = this.#deps;
    this.#noticeBlock();
    const now = clock.now();
    if (link.isUp()) {
      const results = await Promise.allSettled([...this.#extend(now), this.#publish(now)]);
      this.#loseExpired();
      this.#nextBeat = ms(clock.monotonic() + beatEvery);
      for (const result of results) if (result.status === 'rejected') throw result.reason;
    } else {
      this.#loseExpired();
      this.#nextBeat = ms(clock.monotonic() + beatEvery);
    }
    return undefined;
  }

  override async stop(): Promise<void> {
    await super.stop();
    this.#nextBeat = undefined;
    if (this.#deps.link.isUp()) await this.#deps.presence.clearServer(this.#serverInfo());
  }

  /** Tasks whose leases are this server's to keep: running, or ended and not written yet. */
  #held(): readonly Execution[] {
    return [...this.#deps.executions].filter((execution) => !execution.isReleased);
  }

  #extend(now: EpochMs): readonly Promise<void>[] {
    const byQueue = new Map<string, Execution[]>();
    for (const execution of this.#held()) {
      const executions = byQueue.get(execution.queue);
      if (executions === undefined) byQueue.set(execution.queue, [execution]);
      else executions.push(execution);
    }
    return [...byQueue].map(async ([queue, executions]) => {
      const { lost, canceled } = await keepLeases({
        work: this.#deps.work,
        queue,
        owner: this.#deps.owner,
        executions,
        now,
      });
      // What has ended meanwhile is settled or about to be: the answer to that tells.
      for (const execution of lost) if (execution.phase !== 'ended') this.#deps.onLeaseLost(execution);
      for (const [execution, then] of canceled) this.#deps.onCanceled(execution, then);
    });
  }

  /** A lease that ran out and could not be kept: another server may recover the task from now on. */
  #loseExpired(): void {
    const now = this.#deps.clock.now();
    for (const execution of this.#held()) {
      if (execution.phase !== 'ended' && execution.leaseUntil < now) this.#deps.onLeaseLost(execution);
    }
  }

  async #publish(now: EpochMs): Promise<void> {
    const { presence } = this.#deps;
    const running = this.#running();
    const server = { ...this.#serverInfo(), activeWorkerCount: running.length };
    const workers = running.map((execution) => this.#workerInfo(execution));
    await presence.publishServer({ server, workers, ttl: publishedFor, now });
  }

  #running(): readonly Execution[] {
    return [...this.#deps.executions].filter(({ phase }) => phase === 'running' || phase === 'aborted');
  }

  #serverInfo(): ServerInfo {
    const { identity, options, status } = this.#deps;
    const { concurrency, queues, strictPriority } = options;
    const startedAt = this.#startedAt;
    return { ...identity, concurrency, queues, strictPriority, status: status(), startedAt, activeWorkerCount: 0 };
  }

  #workerInfo({ message, queue, startedAt, deadlineAt }: Execution): WorkerInfo {
    const { id, type, payload } = message;
    const task = { taskId: id, taskType: type, taskPayload: payload, queue, startedAt, deadline: deadlineAt };
    return { ...this.#deps.identity, ...task };
  }

  #noticeBlock(): void {
    const { clock } = this.#deps;
    // A beat that is upkeep comes when somebody wants it.
    if (this.#nextBeat === undefined || clock.upkeep !== undefined) return;
    const blockedFor = ms(Math.round(clock.monotonic() - this.#nextBeat));
    if (blockedFor < blockedWhenLate) return;
    const { logger, events } = this.#deps;
    const running = this.#held().map(({ message, queue }) => subjectOf(message, queue));
    const named = running.slice(0, mostNamed).map(({ id, type }) => `${type} ${id}`);
    logger.warn(
      `The event loop stood still for ${blockedFor} ms, which puts leases in danger; ` +
        (named.length === 0 ? 'no task was running' : `tasks running: ${named.join(', ')}`),
      { kind: 'loop blocked' },
    );
    events.emit('loopBlocked', { blockedFor, running });
  }
}
