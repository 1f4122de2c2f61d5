import type { Settlement, SettleOutcome, SettleRequest, WorkContract } from '../../model/broker/work.contract.js';
import { BrokerUnavailableError } from '../../model/errors/broker-errors.js';
import { describeError } from '../../model/retry/describe-error.js';
import type { EpochMs } from '../../model/time/duration.js';
import type { Clock } from '../../model/time/clock.js';
import type { EngineEventEmitter } from '../engine-events.js';
import type { ThrottledLogger } from '../lifecycle/throttled-logger.js';
import { type Execution, subjectOf } from './execution.js';
import { keepLeases } from './lease-keeping.js';
import type { RunningTasks } from './running-tasks.js';

export interface SettlerDeps {
  readonly work: Pick<WorkContract, 'settle' | 'extendLeases'>;
  readonly clock: Clock;
  readonly events: EngineEventEmitter;
  readonly logger: ThrottledLogger;
  /** `host:pid:server-id` of this server. */
  readonly owner: string;
  /** Every run this server answers for; those that are settled and without a slot are taken out. */
  readonly executions: RunningTasks;
  /** Takes what could not be written. */
  readonly onUnsettled: (entries: readonly Unsettled[]) => void;
  /** Calls were answered, so fewer outcomes may be left to write. */
  readonly onAnswered: () => void;
  /** A task waits for its time; when, unless only the broker knows. */
  readonly onRescheduled: (queue: string, at: EpochMs | undefined) => void;
}

/** An outcome that is not stored yet: data, so that it can be written again. */
export interface Unsettled {
  readonly execution: Execution;
  readonly settlement: Settlement;
}

interface Batch {
  readonly queue: string;
  executions: Execution[];
  settlements: Settlement[];
}

/**
 * Writes outcomes while their leases hold: what ends in one turn of the event loop goes in one call per queue. An
 * outcome whose lease has run out is written only if nobody else took the task meanwhile.
 */
export class Settler {
  readonly #batches = new Map<string, Batch>();
  /** Calls under way. */
  #writes = 0;
  /** Who waits for the end of them. */
  #waiters: (() => void)[] = [];
  #waiting = 0;

  constructor(private readonly deps: SettlerDeps) {}

  /** Outcomes that wait for the next {@link flush}. */
  get waiting(): number {
    return this.#waiting;
  }

  add(execution: Execution, settlement: Settlement): void {
    let batch = this.#batches.get(execution.queue);
    if (batch === undefined) {
      this.#batches.set(execution.queue, (batch = { queue: execution.queue, executions: [], settlements: [] }));
    }
    batch.executions.push(execution);
    batch.settlements.push(settlement);
    this.#waiting += 1;
  }

  /** Sends what waits; the answers come later. */
  flush(now: EpochMs): void {
    if (this.#waiting === 0) return;
    this.#waiting = 0;
    for (const batch of this.#batches.values()) {
      if (batch.executions.length === 0) continue;
      const { executions, settlements } = batch;
      batch.executions = [];
      batch.settlements = [];
      void this.#send({ queue: batch.queue, executions, settlements }, now);
    }
  }

  async #send(batch: Batch, now: EpochMs): Promise<void> {
    this.#writes += 1;
    const unsettled = await this.#write(batch, now);
    if (unsettled.length > 0) this.deps.onUnsettled(unsettled);
    this.#writes -= 1;
    this.deps.onAnswered();
    if (this.#writes > 0) return;
    for (const tell of this.#waiters.splice(0)) tell();
  }

  /** Writes again what could not be written; resolves with what still could not. */
  async rewrite(entries: readonly Unsettled[]): Promise<readonly Unsettled[]> {
    const batches = new Map<string, Batch>();
    for (const { execution, settlement } of entries) {
      const { queue } = execution;
      let batch = batches.get(queue);
      if (batch === undefined) batches.set(queue, (batch = { queue, executions: [], settlements: [] }));
      batch.executions.push(execution);
      batch.settlements.push(settlement);
    }
    const now = this.deps.clock.now();
    const left = (await Promise.all([...batches.values()].map((batch) => this.#write(batch, now)))).flat();
    this.deps.onAnswered();
    return left;
  }

  /** Resolves once every call that was sent has been answered. */
  async answered(): Promise<void> {
    if (this.#writes > 0) await new Promise<void>((resolve) => this.#waiters.push(resolve));
  }

  /** Gives an outcome up: the task is no longer this server's. */
  drop(entry: Unsettled): void {
    const { execution, settlement } = entry;
    this.#release(execution);
    const task = subjectOf(execution.message, execution.queue);
    this.deps.logger.warn(
      `The outcome (${settlement.kind}) of task "${task.id}" of type "${task.type}" came too late: ` +
        "its lease has run out and the task is no longer this server's",
      { kind: 'late outcome' },
    );
    this.deps.events.emit('lateOutcome', { task, outcome: settlement.kind });
  }

  async #write(batch: Batch, now: EpochMs): Promise<readonly Unsettled[]> {
    try {
      const isDoubtful = batch.executions.some(({ leaseUntil, triedToSettle }) => triedToSettle || leaseUntil < now);
      const due = isDoubtful ? await this.#keep(batch, now) : batch;
      return this.#stored(due, await this.deps.work.settle(this.#requestOf(due, now)));
    } catch (error) {
      this.#failed(error);
      return entriesOf(batch).filter(({ execution }) => !execution.isReleased);
    }
  }

  #requestOf({ queue, executions, settlements }: Batch, now: EpochMs): SettleRequest {
    return {
      queue,
      owner: this.deps.owner,
      settlements: executions.map(({ takenAt, leaseUntil, leaseAsked }, index) => ({
        settlement: settlements[index] as Settlement,
        takenAt,
        leaseUntil,
        leaseAsked,
      })),
      now,
    };
  }

  /**
   * Leases have run out, or an answer was lost: takes out what is settled or somebody else's by now, and makes sure of
   * the rest. What was stored without an answer may run again already, and must not be taken from whoever runs it.
   */
  async #keep({ queue, executions, settlements }: Batch, now: EpochMs): Promise<Batch> {
    const { lost } = await keepLeases({ work: this.deps.work, queue, owner: this.deps.owner, executions, now });
    const entries = entriesOf({ queue, executions, settlements });
    for (const entry of entries) if (lost.has(entry.execution)) this.#gone(entry, now);
    const kept = entries.filter(({ execution }) => !lost.has(execution));
    return { queue, executions: kept.map((one) => one.execution), settlements: kept.map((one) => one.settlement) };
  }

  #stored(batch: Batch, outcomes: readonly SettleOutcome[]): readonly Unsettled[] {
    const { executions, settlements } = batch;
    let unsettled: Unsettled[] | undefined;
    for (let index = 0; index < executions.length; index += 1) {
      const execution = executions[index] as Execution;
      const settlement = settlements[index] as Settlement;
      const outcome = outcomes[index];
      if (outcome === 'settled') {
        this.#settled(execution, settlement);
      } else if (outcome === 'not-active') {
        this.#gone({ execution, settlement }, this.deps.clock.now());
      } else {
        execution.triedToSettle = true;
        this.#failed(outcome);
        (unsettled ??= []).push({ execution, settlement });
      }
    }
    return unsettled ?? [];
  }

  /** The task is not this run's any more. */
  #gone(entry: Unsettled, now: EpochMs): void {
    const { execution, settlement } = entry;
    // The answer to an earlier attempt was lost: while the lease holds nobody else can have settled it.
    if (execution.triedToSettle && execution.leaseUntil >= now) this.#settled(execution, settlement);
    else this.drop(entry);
  }

  #failed(error: unknown): void {
    // Whoever watches the broker tells about an outage.
    if (error instanceof BrokerUnavailableError) return;
    this.deps.logger.warn(`An outcome could not be written and is tried again: ${describeError(error)}`, {
      kind: 'outcome not written',
    });
  }

  #settled(execution: Execution, settlement: Settlement): void {
    this.#release(execution);
    if (settlement.kind === 'retry') this.deps.onRescheduled(execution.queue, settlement.retryAt);
    else if (settlement.kind === 'snooze') this.deps.onRescheduled(execution.queue, settlement.until);
    else if (settlement.kind === 'return') this.deps.onRescheduled(execution.queue, undefined);
    const { announcement } = execution;
    if (announcement !== undefined) this.deps.events.emit(announcement.name, announcement.event);
  }

  #release(execution: Execution): void {
    execution.isReleased = true;
    if (!execution.hasSlot) this.deps.executions.delete(execution);
  }
}

function entriesOf(batch: Batch): readonly Unsettled[] {
  return batch.executions.map((execution, index) => ({
    execution,
    settlement: batch.settlements[index] as Settlement,
  }));
}
