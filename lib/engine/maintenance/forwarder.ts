import { maxForwardedPerCall } from '../../model/broker/call-limits.js';
import type { MaintenanceContract } from '../../model/broker/maintenance.contract.js';
import type { Clock, Random } from '../../model/time/clock.js';
import { addMs, elapsed, type EpochMs, ms, type Ms } from '../../model/time/duration.js';
import { EarliestTimer } from '../lifecycle/earliest-timer.js';
import type { BrokerReachability } from '../lifecycle/broker-monitor.js';
import { PeriodicService } from '../lifecycle/periodic-service.js';
import type { ThrottledLogger } from '../lifecycle/throttled-logger.js';
import type { MaintenanceLeases } from './maintenance-leases.js';

export interface ForwarderDeps {
  readonly maintenance: Pick<MaintenanceContract, 'forwardDue' | 'earliestDue'>;
  readonly queues: readonly string[];
  readonly leases: Pick<MaintenanceLeases, 'maintained' | 'maintains' | 'standIn'>;
  /** How often every queue that this server maintains is checked, whatever is known about it. */
  readonly every: Ms;
  readonly clock: Clock;
  readonly random: Random;
  readonly brokerMonitor: BrokerReachability;
  readonly logger: ThrottledLogger;
  /** Called when tasks have been moved to a queue. */
  readonly onForwarded: (queue: string) => void;
}

/** How late a server checks tasks of a queue that it does not maintain; at random up to twice as late. */
const standInDelay = ms(2_000);
/** A due task that is still there after so long shows that nobody maintains its queue. */
const overdueAfter = ms(1_000);
const second = ms(1_000);

/** When the next task of a queue is due. */
interface NextDue {
  readonly dueAt: EpochMs;
  /** Another server maintains the queue, so this one checks later, and for overdue tasks only. */
  readonly isStandIn: boolean;
}

/**
 * Moves due scheduled and retry tasks to pending at their time. A timer is set to the earliest one that is known from
 * the last check, from signals of other processes, or because this server put the task off. A slow check of every queue
 * that it maintains finds everything else, such as tasks that Go programs schedule (S-105). If the server that
 * maintains a queue dies, another finds the first task a few seconds late and moves the following ones in time.
 */
export class Forwarder extends PeriodicService {
  readonly #deps: ForwarderDeps;
  readonly #timer: EarliestTimer;
  /** The next task of each queue, as far as is known. */
  readonly #next = new Map<string, NextDue>();
  /** Due time, per queue, of the last task that this server put off to an instant before the next slow check. */
  readonly #ownUntil = new Map<string, EpochMs>();
  /** Queues that are being checked; `again` when something became due in the meantime. */
  readonly #looking = new Map<string, 'once' | 'again'>();
  readonly #looks = new Set<Promise<void>>();
  #stopped = true;
  /** Whether the next run also checks queues that other servers maintain, to know when their tasks are due. */
  #isNewHere = true;

  constructor(deps: ForwarderDeps) {
    const { every, clock, brokerMonitor, logger } = deps;
    super({ name: 'forwarder', every, first: 'at-once', whileDown: 'rest', clock, brokerMonitor, logger });
    this.#deps = deps;
    this.#timer = new EarliestTimer({ clock, onFire: (now) => this.#onTime(now) });
  }

  override async start(): Promise<void> {
    this.#stopped = false;
    this.#isNewHere = true;
    await super.start();
  }

  override async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer.cancel();
    await super.stop();
    await Promise.all(this.#looks);
    this.#next.clear();
    this.#ownUntil.clear();
  }

  override async runOnce(): Promise<undefined> {
    const { queues, leases } = this.#deps;
    const isNewHere = this.#isNewHere;
    this.#isNewHere = false;
    await this.forEachQueue(isNewHere ? queues : leases.maintained(), async (queue) => {
      if (isNewHere) await this.#look(queue);
      else await this.#lookIfDue(queue);
    });
    return undefined;
  }

  /** Checks every queue, because signals may have been missed. */
  lookAtAll(): void {
    this.#isNewHere = true;
    this.wake();
  }

  /** Notes that a task of a queue is due at `dueAt`, as another process has announced. */
  hear(queue: string, dueAt: EpochMs): void {
    if (dueAt <= (this.#ownUntil.get(queue) ?? 0) || this.#deps.leases.maintains(queue)) {
      this.#lookAt(queue, { dueAt, isStandIn: false });
    } else {
      const delay = ms(standInDelay * (1 + this.#deps.random()));
      this.#lookAt(queue, { dueAt: addMs(dueAt, delay), isStandIn: true });
    }
  }

  /**
   * Notes that this server has put a task off until `dueAt`, which is not announced. The server that maintains the queue
   * finds it in a slow check; a task that is due before that is moved here.
   */
  expect(queue: string, dueAt: EpochMs): void {
    const { clock, every } = this.#deps;
    const until = this.#ownUntil.get(queue);
    if (elapsed(clock.now(), dueAt) <= every && (until === undefined || until < dueAt)) {
      this.#ownUntil.set(queue, dueAt);
    }
    this.#lookAt(queue, { dueAt, isStandIn: false });
  }

  #lookAt(queue: string, next: NextDue): void {
    if (this.#stopped || !this.#deps.queues.includes(queue)) return;
    const known = this.#next.get(queue);
    if (known !== undefined && known.dueAt <= next.dueAt) return;
    this.#next.set(queue, next);
    this.#timer.fireBy(next.dueAt);
  }

  #onTime(now: EpochMs): EpochMs | undefined {
    let earliest: EpochMs | undefined;
    for (const [queue, { dueAt, isStandIn }] of this.#next) {
      if (dueAt <= now) {
        this.#next.delete(queue);
        this.#lookSoon(queue, isStandIn && !this.#deps.leases.maintains(queue));
      } else if (earliest === undefined || dueAt < earliest) {
        earliest = dueAt;
      }
    }
    return earliest;
  }

  async #lookIfDue(queue: string): Promise<void> {
    const { maintenance, clock, brokerMonitor } = this.#deps;
    if (!brokerMonitor.isUp()) return;
    const earliest = await maintenance.earliestDue(queue);
    if (earliest === undefined) return;
    if (earliest <= clock.now()) return await this.#look(queue);
    // This may be up to a second early, so an exact time in that second is preferred.
    const known = this.#next.get(queue)?.dueAt;
    if (known === undefined || elapsed(earliest, known) >= second) {
      this.#lookAt(queue, { dueAt: earliest, isStandIn: false });
    }
  }

  #lookSoon(queue: string, isStandIn: boolean): void {
    if (this.#looking.has(queue)) {
      this.#looking.set(queue, 'again');
      return;
    }
    // The next check of every queue makes up for a failed one.
    const look = this.#look(queue, isStandIn)
      .catch(() => undefined)
      .then(() => void this.#looks.delete(look));
    this.#looks.add(look);
  }

  async #look(queue: string, isStandIn = false): Promise<void> {
    if (!this.#deps.brokerMonitor.isUp()) return;
    if (this.#looking.has(queue)) {
      this.#looking.set(queue, 'again');
      return;
    }
    try {
      do {
        this.#looking.set(queue, 'once');
        await this.#forward(queue, isStandIn);
      } while (this.#looking.get(queue) === 'again' && !this.#stopped);
    } finally {
      this.#looking.delete(queue);
    }
  }

  async #forward(queue: string, isStandIn: boolean): Promise<void> {
    const { maintenance, leases, clock, onForwarded } = this.#deps;
    let isOnlyOverdue = isStandIn;
    for (;;) {
      const now = isOnlyOverdue ? addMs(clock.now(), ms(0 - overdueAfter)) : clock.now();
      const result = await maintenance.forwardDue({ queue, now, limit: maxForwardedPerCall });
      if (result.forwarded > 0) onForwarded(queue);
      if (this.#stopped) return;
      if (isOnlyOverdue && result.forwarded > 0) {
        leases.standIn(queue);
        isOnlyOverdue = false;
        continue;
      }
      if (result.more) continue;
      if (result.nextDueAt !== undefined) this.hear(queue, result.nextDueAt);
      return;
    }
  }
}
