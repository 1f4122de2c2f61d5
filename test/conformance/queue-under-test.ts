import type { Broker } from '../../lib/model/broker/broker.js';
import type { EnqueueOutcome, EnqueueRequest } from '../../lib/model/broker/enqueue.contract.js';
import type { CancelResult, CancelOutcome, SignalListener } from '../../lib/model/broker/presence.contract.js';
import type {
  DequeueResult,
  RunClaim,
  Settlement,
  SettleOutcome,
  TypeFilter,
} from '../../lib/model/broker/work.contract.js';
import { decodeTaskMessage } from '../../lib/model/task/task-message.codec.js';
import type { TaskMessage } from '../../lib/model/task/task-message.js';
import { addMs, type EpochMs, type Ms, ms } from '../../lib/model/time/duration.js';
import { uniqueQueue } from '../support/unique-queue.js';
import { until } from '../support/until.js';
import type { BrokerBackend } from './describe-broker.js';
import type { Counters, FleetProbe, Place, QueueProbe, StoredTask } from './storage-probe.js';
import { aMessage, now, owner, runTaken, type Wanted } from './task-words.js';

/** What is heard on one queue, as lines: `wake`, `due +<ms after now>`, `cancel <rest of the id>`. */
export interface Heard {
  readonly lines: string[];
  /** All that was said until now, once it has been heard. */
  everything(): Promise<readonly string[]>;
  stop(): Promise<void>;
}

/** A queue of one statement, behind a broker. */
export class QueueUnderTest {
  readonly #siblings: QueueUnderTest[] = [];
  readonly #toClose: (() => Promise<void>)[] = [];
  /** What the latest run of each task claims. */
  readonly #runs = new Map<string, RunClaim>();
  #marks = 0;

  private constructor(
    readonly queue: string,
    readonly broker: Broker,
    /** A broker on the same storage, as of another process. */
    readonly other: Broker,
    readonly probe: QueueProbe,
    private readonly backend: BrokerBackend,
  ) {}

  static async open(
    backend: BrokerBackend,
    brokers: readonly [Broker, Broker],
    queue = uniqueQueue('deck'),
  ): Promise<QueueUnderTest> {
    return new QueueUnderTest(queue, brokers[0], brokers[1], await backend.probe(queue), backend);
  }

  /** Another queue of the same storage. */
  async sibling(queue = uniqueQueue('deck')): Promise<QueueUnderTest> {
    const opened = await QueueUnderTest.open(this.backend, [this.broker, this.other], queue);
    this.#siblings.push(opened);
    return opened;
  }

  /** A broker that the statement may close. */
  anotherBroker(): Broker {
    const broker = this.backend.open();
    this.#toClose.push(async () => await broker.close());
    return broker;
  }

  /**
   * Has a broker do something again and again, each time dying a command later, until it lives to the end.
   *
   * @param prepare what is done before each try, by a broker that lives
   * @param judge   looks at what others make of what is left after it
   */
  async dyingEverywhere<T>(
    prepare: () => Promise<T>,
    {
      act,
      judge,
    }: { readonly act: (broker: Broker, given: T) => Promise<unknown>; readonly judge: () => Promise<void> },
  ): Promise<void> {
    for (let commands = 0; ; commands++) {
      const given = await prepare();
      const { broker, hasDied } = this.backend.openMortal(commands);
      await act(broker, given).catch((error: unknown) => {
        if (!hasDied()) throw error;
      });
      await broker.close();
      await judge();
      if (!hasDied()) return;
      await this.probe.clean();
    }
  }

  get fleet(): FleetProbe {
    return this.backend.fleet;
  }

  async close(): Promise<void> {
    for (const close of this.#toClose) await close();
    for (const sibling of this.#siblings) await sibling.close();
    await this.probe.clean();
  }

  /** The unique lock of a task of this queue. */
  lockName(suffix = ''): string {
    return `asynq:{${this.queue}}:unique:email:send:${suffix}`;
  }

  message(fields: Partial<TaskMessage> = {}): TaskMessage {
    return aMessage({ queue: this.queue, ...fields });
  }

  request({ place, uniqueForSeconds, idIsGenerated, ...fields }: Wanted = {}): EnqueueRequest {
    return {
      message: this.message(fields),
      place: place ?? { kind: 'pending' },
      uniqueForSeconds: uniqueForSeconds ?? 0,
      idIsGenerated: idIsGenerated ?? false,
    };
  }

  /** Enqueues in one call. */
  async enqueue(...wanted: readonly Wanted[]): Promise<readonly EnqueueOutcome[]> {
    return await this.enqueueAt(now, ...wanted);
  }

  async enqueueAt(instant: EpochMs, ...wanted: readonly Wanted[]): Promise<readonly EnqueueOutcome[]> {
    return await this.broker.enqueue.enqueue(
      wanted.map((one) => this.request(one)),
      instant,
    );
  }

  /** Takes tasks off the queue, as a server does, and leases them for 30 seconds. */
  async dequeue(limit = 1, at: EpochMs = now, leaseFor: Ms = ms(30_000)): Promise<DequeueResult> {
    const leaseUntil = addMs(at, leaseFor);
    const result = await this.broker.work.dequeue({ queue: this.queue, limit, now: at, leaseUntil, owner });
    for (const { id } of result.messages) this.#runs.set(id, { takenAt: at, leaseUntil, leaseAsked: leaseUntil });
    return result;
  }

  /** The same for tasks of some types: exact ones, and prefixes that end in a colon. */
  async dequeueKnown(
    limit: number,
    types: readonly string[],
    filter: Partial<Pick<TypeFilter, 'except' | 'lookedUpTo'>> = {},
  ): Promise<DequeueResult> {
    const patterns = types.map((type) => ({ type, match: type.endsWith(':') ? 'prefix' : 'exact' }) as const);
    const known = { patterns, except: filter.except ?? new Set<string>(), lookedUpTo: filter.lookedUpTo };
    const leaseUntil = addMs(now, ms(30_000));
    return await this.broker.work.dequeue({ queue: this.queue, limit, now, leaseUntil, owner, filter: known });
  }

  /** Enqueues tasks and takes them all, so that they are running. */
  async running(...wanted: readonly Wanted[]): Promise<readonly TaskMessage[]> {
    await this.enqueue(...wanted);
    return (await this.dequeue(wanted.length)).messages;
  }

  /** One running task, `a` unless told otherwise. */
  async one(wanted: Wanted = {}): Promise<TaskMessage> {
    const [message] = await this.running({ id: 'a', ...wanted });
    if (message === undefined) throw new Error('the queue gave no task');
    return message;
  }

  /** Running tasks whose leases ended the given seconds before the second of now. */
  async expired(endedAgo: number, ...wanted: readonly Wanted[]): Promise<readonly TaskMessage[]> {
    const takenAt = addMs(now, ms(-endedAgo * 1_000 - 30_000));
    await this.enqueueAt(takenAt, ...wanted);
    return (await this.dequeue(wanted.length, takenAt)).messages;
  }

  async settle(...settlements: readonly Settlement[]): Promise<readonly SettleOutcome[]> {
    return await this.settleAt(now, ...settlements);
  }

  async settleAt(instant: EpochMs, ...settlements: readonly Settlement[]): Promise<readonly SettleOutcome[]> {
    const runs = settlements.map((settlement) => ({ ...this.runOf(settlement.message.id), settlement }));
    return await this.broker.work.settle({ queue: this.queue, owner, settlements: runs, now: instant });
  }

  /** What the run claims that last took a task here. */
  runOf(taskId: string): RunClaim {
    return this.#runs.get(taskId) ?? runTaken();
  }

  async writeResult(taskId: string, result: Uint8Array): Promise<boolean> {
    return await this.broker.work.writeResult({ queue: this.queue, owner, ...this.runOf(taskId), taskId, result });
  }

  async cancel(taskId: string, outcome: CancelOutcome): Promise<CancelResult> {
    return await this.broker.presence.cancel({ queue: this.queue, taskId, outcome, now });
  }

  async task(id: string): Promise<StoredTask> {
    const task = await this.probe.task(id);
    if (task === undefined) throw new Error(`there is no task ${id}`);
    return task;
  }

  async stateOf(id: string): Promise<string | undefined> {
    return (await this.probe.task(id))?.state;
  }

  /** The task message as it is stored now. */
  async stored(id: string): Promise<TaskMessage> {
    const decoded = decodeTaskMessage((await this.task(id)).bytes);
    if (!decoded.ok) throw new Error(decoded.reason);
    return decoded.message;
  }

  async placesOf(id: string): Promise<readonly Place[]> {
    return await this.probe.placesOf(id);
  }

  async idsIn(place: Place): Promise<readonly string[]> {
    return await this.probe.idsIn(place);
  }

  async counters(): Promise<Counters> {
    return await this.probe.counters(now);
  }

  /** Hears the signals about this queue, and about tasks whose ids begin with its name, as another process. */
  async listen(by: Broker = this.other): Promise<Heard> {
    const lines: string[] = [];
    const marks = new Set<string>();
    const listener: SignalListener = {
      onCancel: (taskId, request) => {
        if (!taskId.startsWith(this.queue)) return;
        if (taskId.startsWith(`${this.queue}mark-`)) return void marks.add(taskId);
        const outcome = request === undefined ? '' : ` to ${request.outcome} it in ${request.queue}`;
        lines.push(`cancel ${taskId.slice(this.queue.length)}${outcome}`);
      },
      onWake: (queue) => void (queue === this.queue && lines.push('wake')),
      onDue: (queue, dueAt) => void (queue === this.queue && lines.push(`due +${dueAt - now}`)),
      onMaintenance: ({ owner, queues, heldFor }) =>
        void (queues.includes(this.queue) && lines.push(`maintained by ${owner} for ${heldFor}`)),
      onReconnect: () => {},
    };
    const end = await by.presence.subscribe(listener);
    this.#toClose.push(end);
    const everything = async (): Promise<readonly string[]> => {
      const mark = `${this.queue}mark-${++this.#marks}`;
      await this.probe.signalCancel(mark);
      await until('the last signal is heard', () => marks.has(mark));
      return lines.splice(0);
    };
    // Signals of a moment ago may still be on their way from one node of a cluster to another.
    await everything();
    return { lines, everything, stop: end };
  }
}

/** Nothing was counted. */
export const nothingCounted: Counters = { processed: 0, failed: 0, processedToday: 0, failedToday: 0 };
