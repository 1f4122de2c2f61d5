import { hostname } from 'node:os';
import type { ServerIdentity, ServerInfo, ServerStatus, WorkerInfo } from '../../model/broker/presence.js';
import type { PresenceContract } from '../../model/broker/presence.contract.js';
import type { Clock } from '../../model/time/clock.js';
import { type EpochMs, ms, type Ms } from '../../model/time/duration.js';
import type { EngineEventEmitter } from '../engine-events.js';
import { polled } from '../lifecycle/deadline.js';
import type { BrokerReachability } from '../lifecycle/broker-monitor.js';
import type { ClockMonitor } from '../lifecycle/clock-monitor.js';
import { PeriodicService } from '../lifecycle/periodic-service.js';
import type { ThrottledLogger } from '../lifecycle/throttled-logger.js';
import type { GroupMux } from '../maintenance/group-mux.js';
import { subjectOf } from '../outcome/event-task.js';
import type { ClockGuard } from './clock-guard.js';
import type { LeaseKeeper } from './lease-keeper.js';
import type { Run } from './run.js';
import type { ResolvedServerOptions } from './server-options.js';

/** Returns the identity of a server of this process. */
export function identityOf(serverId: string): ServerIdentity {
  return { host: hostname() || 'unknown-host', pid: process.pid, serverId };
}

export interface HeartbeaterDeps {
  readonly identity: ServerIdentity;
  readonly leases: LeaseKeeper;
  readonly presence: Pick<PresenceContract, 'publishServer' | 'clearServer'>;
  readonly runs: Iterable<Run>;
  readonly options: Pick<ResolvedServerOptions, 'concurrency' | 'queues' | 'strictPriority'>;
  readonly groups: Pick<GroupMux, 'aggregates'> | undefined;
  readonly clock: Clock;
  readonly clockMonitor: Pick<ClockMonitor, 'latest'>;
  readonly clockGuard: Pick<ClockGuard, 'look'>;
  readonly brokerMonitor: BrokerReachability;
  readonly events: EngineEventEmitter;
  readonly logger: ThrottledLogger;
  readonly status: () => ServerStatus;
}

const beatEvery = ms(5_000);
const publishedFor = ms(10_000);
/** A heartbeat that comes this late was delayed by something that blocks the event loop. */
const blockedWhenLate = ms(1_000);
const maxNamed = 20;

/**
 * Keeps the leases of running tasks, and publishes that this server is alive and what it runs: at the start and every 5
 * s (S-72). A run is lost if its lease is gone, or has expired and cannot be extended. A late heartbeat means that a
 * handler blocks the event loop. Every heartbeat compares the clock with that of Redis.
 */
export class Heartbeater extends PeriodicService {
  readonly #deps: HeartbeaterDeps;
  readonly #startedAt: EpochMs;
  /** When the next heartbeat should come, by the monotonic clock. */
  #nextBeat: Ms | undefined;

  constructor(deps: HeartbeaterDeps) {
    const { clock, logger, brokerMonitor } = deps;
    super({ name: 'heartbeat', every: beatEvery, first: 'at-once', whileDown: 'run', clock, logger, brokerMonitor });
    this.#deps = deps;
    this.#startedAt = clock.now();
  }

  override async runOnce(): Promise<undefined> {
    const { clock, clockMonitor, clockGuard, brokerMonitor, leases } = this.#deps;
    this.#noticeBlock();
    // Others must not consider a lease expired because this clock is behind theirs.
    const now = clockMonitor.latest();
    const calls = brokerMonitor.isUp() ? [leases.extend(now), this.#publish(now), clockGuard.look()] : [];
    const results = await Promise.allSettled(calls);
    // The answer that ended a run in time may have arrived without having been read.
    await polled();
    leases.loseExpired(now);
    // Leases that have expired since then, because of a standstill or slow answers, are tried once more.
    if (leases.areAnyOver(clockMonitor.latest())) this.wake();
    this.#nextBeat = ms(clock.monotonic() + beatEvery);
    for (const result of results) if (result.status === 'rejected') throw result.reason;
    return undefined;
  }

  override async stop(): Promise<void> {
    await super.stop();
    this.#nextBeat = undefined;
    if (this.#deps.brokerMonitor.isUp()) await this.#deps.presence.clearServer(this.#serverInfo());
  }

  async #publish(now: EpochMs): Promise<void> {
    const { presence } = this.#deps;
    const workers = this.#workers();
    const server = { ...this.#serverInfo(), activeWorkerCount: workers.length };
    await presence.publishServer({ server, workers, ttl: publishedFor, now });
  }

  #workers(): readonly WorkerInfo[] {
    const workers: WorkerInfo[] = [];
    for (const { message, queue, started } of this.#deps.runs) {
      if (started === undefined) continue;
      const { id, type, payload } = message;
      const { startedAt, deadlineAt } = started;
      const task = { taskId: id, taskType: type, taskPayload: payload, queue, startedAt, deadline: deadlineAt };
      workers.push({ ...this.#deps.identity, ...task });
    }
    return workers;
  }

  #serverInfo(): ServerInfo {
    const { identity, options, status, groups } = this.#deps;
    const { concurrency, queues, strictPriority } = options;
    return {
      ...identity,
      concurrency,
      queues,
      strictPriority,
      status: status(),
      startedAt: this.#startedAt,
      activeWorkerCount: 0,
      aggregates: groups?.aggregates ?? [],
    };
  }

  #noticeBlock(): void {
    const { clock, leases } = this.#deps;
    // On a clock with background timers, its owner decides when the heartbeat comes.
    if (this.#nextBeat === undefined || clock.backgroundTimers !== undefined) return;
    const blockedFor = ms(Math.round(clock.monotonic() - this.#nextBeat));
    if (blockedFor < blockedWhenLate) return;
    const { logger, events } = this.#deps;
    const running = leases.held().map(subjectOf);
    const named = running.slice(0, maxNamed).map(({ id, type }) => `${type} ${id}`);
    logger.warn(
      `The event loop stood still for ${blockedFor} ms, and no lease was extended meanwhile; ` +
        (named.length === 0 ? 'no task was running' : `tasks running: ${named.join(', ')}`),
      { kind: 'loop blocked' },
    );
    events.emit('loopBlocked', { blockedFor, running });
  }
}
