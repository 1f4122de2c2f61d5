import { settleRecovered } from '../engine/outcome/failure.js';
import type { Broker } from '../model/broker/broker.js';
import type {
  DequeueRequest,
  DequeueResult,
  ExtendLeasesRequest,
  LeaseNews,
  SettleOutcome,
  SettleRequest,
  WaitRequest,
  WorkContract,
  WriteResultRequest,
} from '../model/broker/work.contract.js';
import type { TaskMessage } from '../model/task/task-message.js';
import { type EpochMs, ms } from '../model/time/duration.js';
import { type Faults, unavailable, type WorkerFault } from './faults.js';
import type { DequeueWindow } from './dequeue-window.js';
import type { ActiveRun, ActiveRuns } from './active-runs.js';

/** What the brokers of an application under test share, and the one that does the work. */
export interface TestWorkDeps {
  readonly broker: Broker;
  readonly window: DequeueWindow;
  readonly faults: Faults;
  readonly runs: ActiveRuns;
}

/** The owner of tasks whose worker has crashed: no server of this name lives. */
const deadOwner = 'crashed-worker:0:00000000-0000-0000-0000-000000000000';

/** Hands out tasks only while the window is open, one kind of fault at a time; keeps the active runs. */
export class TestWork implements WorkContract {
  constructor(private readonly deps: TestWorkDeps) {}

  async dequeue(request: DequeueRequest): Promise<DequeueResult> {
    const { broker, window, faults } = this.deps;
    if (faults.isBrokerDown) throw unavailable();
    const nothing: DequeueResult = { messages: [], undecodable: [], left: 'drained' };
    if (window.room <= 0) return nothing;
    if (faults.hasArmed) return await this.#dequeueOne(request);
    const limit = Math.min(request.limit, window.room);
    const result = await broker.work.dequeue({ ...request, limit });
    for (const message of result.messages) this.#take(message, request);
    window.progress += result.undecodable.length;
    return result;
  }

  async extendLeases(request: ExtendLeasesRequest): Promise<LeaseNews> {
    const { broker, faults, runs } = this.deps;
    if (faults.isBrokerDown) throw unavailable();
    // A worker that is dead extends nothing; here its handler only has not been told.
    const leases = request.leases.filter(({ taskId }) => runs.find(request.queue, taskId)?.isCrashed !== true);
    const news = await broker.work.extendLeases({ ...request, leases });
    for (const { taskId } of leases) {
      const run = runs.find(request.queue, taskId);
      if (run !== undefined && !news.lost.includes(taskId)) run.leaseUntil = request.leaseUntil;
    }
    return news;
  }

  async settle(request: SettleRequest): Promise<readonly SettleOutcome[]> {
    const { broker, faults, runs, window } = this.deps;
    const { queue, settlements } = request;
    if (faults.isBrokerDown) return settlements.map(() => unavailable());
    const reaching = settlements.filter(({ settlement }) => !runs.find(queue, settlement.message.id)?.isCrashed);
    const answers = reaching.length === 0 ? [] : await broker.work.settle({ ...request, settlements: reaching });
    const outcomes = new Map(reaching.map((one, index) => [one, answers[index] as SettleOutcome]));
    return settlements.map((one) => {
      const outcome = outcomes.get(one) ?? 'not-active';
      window.progress += 1;
      if (outcome !== 'settled' && outcome !== 'not-active') return outcome;
      runs.end(queue, { id: one.settlement.message.id, outcome });
      return outcome;
    });
  }

  async writeResult(request: WriteResultRequest): Promise<boolean> {
    if (this.deps.faults.isBrokerDown) throw unavailable();
    return await this.deps.broker.work.writeResult(request);
  }

  async waitForTask({ signal }: WaitRequest): Promise<'task' | 'none'> {
    await this.deps.window.untilWoken(signal);
    return signal.aborted ? 'none' : 'task';
  }

  async findWithTasks(queues: readonly string[]): Promise<readonly string[]> {
    if (this.deps.faults.isBrokerDown) throw unavailable();
    return await this.deps.broker.work.findWithTasks(queues);
  }

  async isPaused(queue: string): Promise<boolean> {
    return await this.deps.broker.work.isPaused(queue);
  }

  /** One task at a time, so that each can meet the fault that is meant for its type. */
  async #dequeueOne(request: DequeueRequest): Promise<DequeueResult> {
    const { work } = this.deps.broker;
    // Taken in the name of the dead, since only the dequeue says who owns a task.
    let result = await work.dequeue({ ...request, limit: 1, owner: deadOwner });
    const [message] = result.messages;
    if (message === undefined) return result;
    const fault = this.deps.faults.take(message.type);
    if (fault !== 'crash') {
      const { queue, now, leaseUntil } = request;
      const run = { takenAt: now, leaseUntil, leaseAsked: leaseUntil };
      const settlements = [{ ...run, settlement: { kind: 'requeue', message } as const }];
      await work.settle({ queue, owner: deadOwner, settlements, now });
      result = await work.dequeue({ ...request, limit: 1 });
    }
    for (const taken of result.messages) await this.#strike(this.#take(taken, request), { fault, now: request.now });
    return result.left === 'drained' ? { ...result, left: 'some' } : result;
  }

  #take(message: TaskMessage, { queue, leaseUntil }: DequeueRequest): ActiveRun {
    this.deps.window.begin(message.type);
    const run: ActiveRun = this.deps.runs.take({
      message,
      queue,
      leaseUntil,
      takeAway: async (now) => await this.#takeAway(run, now),
    });
    return run;
  }

  async #strike(
    run: ActiveRun,
    { fault, now }: { readonly fault: WorkerFault | undefined; readonly now: EpochMs },
  ): Promise<void> {
    if (fault === 'crash') run.isCrashed = true;
    if (fault === 'lose-lease') await run.takeAway(now);
  }

  /** Somebody else recovers a running task: it is to run again, and nothing of this run is stored. */
  async #takeAway({ queue, message, leaseUntil }: ActiveRun, now: EpochMs): Promise<void> {
    const { maintenance } = this.deps.broker;
    const expired = await maintenance.listExpiredLeases({ queue, expiredBy: leaseUntil, now, limit: 10_000 });
    const lease = expired.leases.find((one) => one.message.id === message.id);
    if (lease === undefined) return;
    const policy = { delay: () => ms(0), isFailure: () => true };
    const settlement = settleRecovered(message, { policy, now });
    await maintenance.recover(queue, [{ settlement, leaseSeconds: lease.leaseSeconds }], now);
    this.deps.window.progress += 1;
  }
}
