import type { ClaimedSettlement, WorkContract } from '../../model/broker/work.contract.js';
import { BrokerUnavailableError } from '../../model/errors/broker-errors.js';
import { describeError } from '../../model/retry/describe-error.js';
import type { Clock } from '../../model/time/clock.js';
import type { EngineEventEmitter } from '../engine-events.js';
import type { ThrottledLogger } from '../lifecycle/throttled-logger.js';
import { subjectOf } from '../outcome/event-task.js';
import type { Run } from './run.js';
import type { OwnLease, RunState } from './run-state.js';
import type { InternalEvents } from './internal-events.js';

export interface OutcomeWriterDeps {
  readonly work: Pick<WorkContract, 'settle'>;
  /** `host:pid:server-id` of this server. */
  readonly owner: string;
  readonly internalEvents: InternalEvents;
  readonly clock: Clock;
  readonly events: EngineEventEmitter;
  readonly logger: ThrottledLogger;
}

/** A run whose outcome is decided but not stored. */
type Unsettled = Extract<RunState, { phase: 'settling' }>;

/** Writes the outcomes of runs, and announces only those that are stored. */
export class OutcomeWriter {
  constructor(private readonly deps: OutcomeWriterDeps) {}

  /** Writes the outcomes of runs of one queue. Resolves with the runs whose outcomes must be written again. */
  async write(queue: string, runs: readonly Run[]): Promise<readonly Run[]> {
    const { work, owner, clock, internalEvents } = this.deps;
    const leases = runs.map(({ lease }) => lease);
    const answers = await work.settle({ queue, owner, settlements: runs.map(claimOf), now: clock.now() });
    const unsettled: Run[] = [];
    const outdated: Run[] = [];
    for (let index = 0; index < runs.length; index += 1) {
      const run = runs[index] as Run;
      const answer = answers[index];
      if (answer === 'settled') this.#stored(run);
      else if (answer === 'not-active') {
        // The lease was extended in the meantime, maybe before this arrived: the task is still ours, under a later
        // lease.
        if (run.lease === leases[index]) this.#refused(run);
        else outdated.push(run);
      } else {
        run.sent();
        this.#failed(answer);
        unsettled.push(run);
      }
    }
    const isAllClosed = unsettled.length + outdated.length === 0;
    internalEvents.emit('closed', isAllClosed ? runs : runs.filter(({ state }) => state.phase === 'closed'));
    if (outdated.length > 0) unsettled.push(...(await this.write(queue, outdated)));
    return unsettled;
  }

  #stored(run: Run): void {
    const { internalEvents, events } = this.deps;
    const { settlement, announcement } = (run.state as Unsettled).outcome;
    run.close();
    if (settlement.kind === 'retry') internalEvents.emit('delayed', { queue: run.queue, until: settlement.retryAt });
    else if (settlement.kind === 'snooze')
      internalEvents.emit('delayed', { queue: run.queue, until: settlement.until });
    if (announcement !== undefined) events.emit(announcement.name, announcement.event);
  }

  /**
   * Handles an outcome that the broker refused: the task no longer belongs to this run. If the reply to an earlier
   * attempt was lost and the lease still holds, nobody else can have settled it, so that attempt did. Otherwise nothing
   * is known.
   */
  #refused(run: Run): void {
    const { wasSent } = run.state as Unsettled;
    const isOurs = run.lease.kind === 'ours' && run.lease.leaseUntil > this.deps.clock.now();
    if (wasSent && isOurs) this.#stored(run);
    else this.#tooLate(run);
  }

  /** Reports that the task no longer belongs to this server, so nothing was written for this run. */
  #tooLate(run: Run): void {
    const { kind } = (run.state as Unsettled).outcome.settlement;
    run.close();
    const task = subjectOf(run);
    this.deps.logger.warn(
      `The outcome (${kind}) of task "${task.id}" of type "${task.type}" came too late: ` +
        'its lease has expired and the task no longer belongs to this server',
      { kind: 'late outcome' },
    );
    this.deps.events.emit('lateOutcome', { task, outcome: kind });
  }

  #failed(error: unknown): void {
    // The broker monitor reports an outage.
    if (error instanceof BrokerUnavailableError) return;
    this.deps.logger.warn(`An outcome could not be written and will be retried: ${describeError(error)}`, {
      kind: 'outcome not written',
    });
  }
}

function claimOf({ state, lease }: Run): ClaimedSettlement {
  // A run that lost its lease has no outcome to write.
  const { takenAt, leaseUntil, leaseAsked } = lease as OwnLease;
  const { outcome, wasSent } = state as Unsettled;
  // An outcome that was stored without a reply may already run again: its lease keeps nobody away.
  return { settlement: outcome.settlement, takenAt, leaseUntil: wasSent ? takenAt : leaseUntil, leaseAsked };
}
