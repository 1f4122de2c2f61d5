import { addToGroup } from '../../model/broker/group-by.js';
import { leaseLength } from '../../model/broker/lifetimes.js';
import type { CancelOutcome } from '../../model/broker/presence.contract.js';
import type { WorkContract } from '../../model/broker/work.contract.js';
import { LeaseExpiredError } from '../../model/errors/task-errors.js';
import { addMs, type EpochMs, fromEpochSeconds, toEpochSeconds } from '../../model/time/duration.js';
import { waitForAll } from '../../model/time/wait.js';
import type { EngineEventEmitter } from '../engine-events.js';
import type { ThrottledLogger } from '../lifecycle/throttled-logger.js';
import type { OwnRun } from '../maintenance/recoverer.js';
import { subjectOf } from '../outcome/event-task.js';
import type { Run } from './run.js';
import type { Lease, OwnLease } from './run-state.js';
import type { RunStopper } from './run-stopper.js';

/** Returns the lease of tasks that are fetched now. It ends at a whole second, since it is stored in seconds. */
export function newLease(now: EpochMs): OwnLease {
  const leaseUntil = leaseEnd(now);
  return { kind: 'ours', takenAt: now, leaseUntil, leaseAsked: leaseUntil };
}

export interface LeaseKeeperDeps {
  readonly work: Pick<WorkContract, 'extendLeases'>;
  /** `host:pid:server-id` of this server. */
  readonly owner: string;
  readonly runs: Iterable<Run>;
  readonly stopper: Pick<RunStopper, 'abort' | 'cancel'>;
  readonly events: EngineEventEmitter;
  readonly logger: ThrottledLogger;
}

const maxLost = 10_000;
const lost: Lease = { kind: 'lost' };

/**
 * Keeps the leases of the tasks that this server holds, and is the only code that extends them. When a lease belongs to
 * another server, or has expired and cannot be extended, its run is lost: the handler is told to stop and nothing is
 * written.
 */
export class LeaseKeeper {
  /** Tasks whose leases were recently lost here: queue and id. */
  readonly #lost = new Set<string>();
  /** Resolves when the extension that was asked for last has ended. */
  #extending: Promise<void> = Promise.resolve();

  constructor(private readonly deps: LeaseKeeperDeps) {}

  /**
   * Extends every lease, including an expired one if no other server has taken the task, and marks leases as lost that
   * are no longer ours.
   *
   * @throws the broker's error when it cannot be reached; the state of that queue's leases is then unknown.
   */
  async extend(now: EpochMs): Promise<void> {
    await this.#inTurn(async () => await this.#extendAll(this.held(), now));
  }

  /** Extends leases that had expired by `now`, and marks those as lost that cannot be kept. Never rejects. */
  async makeSure(runs: readonly Run[], now: EpochMs): Promise<void> {
    const extending = this.#inTurn(async () => {
      // Leases that a heartbeat has extended in the meantime need nothing more.
      await this.#extendAll(
        runs.filter((run) => isOver(run, now)),
        now,
      );
    });
    await extending.catch(() => undefined);
    this.loseExpired(now, runs);
  }

  /**
   * Marks leases as lost that expired by `now` and could not be extended: from now on, other servers may recover their
   * tasks.
   */
  loseExpired(now: EpochMs, runs: Iterable<Run> = this.deps.runs): void {
    for (const run of runs) if (isOver(run, now)) this.#lose(run);
  }

  /** Whether there are leases that {@link loseExpired} would lose. */
  areAnyOver(now: EpochMs): boolean {
    return [...this.deps.runs].some((run) => isOver(run, now));
  }

  /** Returns the runs whose leases this server keeps: running, or ended and not written yet. */
  held(): readonly Run[] {
    return [...this.deps.runs].filter(({ lease, state }) => lease.kind === 'ours' && state.phase !== 'closed');
  }

  /** Returns what this server knows about tasks of a queue whose leases name it as the owner. */
  ownRuns(queue: string): (taskId: string) => OwnRun {
    const own = new Map<string, OwnRun>();
    for (const run of this.deps.runs) {
      if (run.queue !== queue) continue;
      own.set(run.message.id, run.lease.kind === 'ours' && run.state.phase !== 'closed' ? 'held' : 'lost');
    }
    return (taskId) => own.get(taskId) ?? (this.#lost.has(lostKey(queue, taskId)) ? 'lost' : 'none');
  }

  /**
   * Runs one extension at a time: a second one would not know yet which lease the first one got, and would take it for
   * another server's.
   */
  async #inTurn(extend: () => Promise<void>): Promise<void> {
    const extending = this.#extending.then(extend);
    this.#extending = extending.catch(() => undefined);
    await extending;
  }

  async #extendAll(held: readonly Run[], now: EpochMs): Promise<void> {
    const byQueue = new Map<string, Run[]>();
    for (const run of held) addToGroup(byQueue, run.queue, run);
    await waitForAll([...byQueue].map(async ([queue, runs]) => await this.#extendQueue({ queue, runs, now })));
  }

  async #extendQueue(request: {
    readonly queue: string;
    readonly runs: readonly Run[];
    readonly now: EpochMs;
  }): Promise<void> {
    const { queue, runs, now } = request;
    const { work, owner, stopper } = this.deps;
    const leaseUntil = leaseEnd(now);
    const leases = runs.flatMap(({ message, lease }) =>
      lease.kind === 'ours' ? [{ taskId: message.id, until: lease.leaseAsked, takenAt: lease.takenAt }] : [],
    );
    // A lease that was asked for counts even without a reply, but not once the old one has expired: another server that
    // took the task then got a lease of the same length, which could not be distinguished from the one asked for.
    for (const run of runs) {
      if (run.lease.kind === 'ours' && now < run.lease.leaseUntil) run.lease = { ...run.lease, leaseAsked: leaseUntil };
    }
    const news = await work.extendLeases({ queue, owner, leases, leaseUntil });
    const lostIds = new Set(news.lost);
    const canceled = new Map<string, CancelOutcome>(news.canceled.map(({ taskId, outcome }) => [taskId, outcome]));
    for (const run of runs) {
      const { id } = run.message;
      const outcome = canceled.get(id);
      if (outcome !== undefined) stopper.cancel(run, outcome);
      // The outcome of a run that has ended in the meantime is stored or about to be; the reply to that decides.
      if (lostIds.has(id)) {
        if (run.isOpen) this.#lose(run);
      } else if (run.lease.kind === 'ours') {
        run.lease = { ...run.lease, leaseUntil, leaseAsked: leaseUntil };
      }
    }
  }

  #lose(run: Run): void {
    const { stopper, events, logger } = this.deps;
    run.lease = lost;
    if (this.#lost.size >= maxLost) this.#lost.clear();
    this.#lost.add(lostKey(run.queue, run.message.id));
    const task = subjectOf(run);
    logger.warn(`The lease of task "${task.id}" of type "${task.type}" was lost; its run is told to stop`, {
      kind: 'lease lost',
    });
    events.emit('leaseLost', { task });
    stopper.abort(run, new LeaseExpiredError());
  }
}

function isOver({ isOpen, lease }: Run, now: EpochMs): boolean {
  return isOpen && lease.kind === 'ours' && lease.leaseUntil < now;
}

function leaseEnd(now: EpochMs): EpochMs {
  return fromEpochSeconds(toEpochSeconds(addMs(now, leaseLength)));
}

function lostKey(queue: string, taskId: string): string {
  return JSON.stringify([queue, taskId]);
}
