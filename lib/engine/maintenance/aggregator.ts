import type { MaintenanceContract } from '../../model/broker/maintenance.contract.js';
import { BrokerUnavailableError } from '../../model/errors/broker-errors.js';
import { describeError } from '../../model/retry/describe-error.js';
import type { PayloadCodec } from '../../model/task/payload.codec.js';
import { noOptions } from '../../model/task/task-options.js';
import type { Clock, Timer } from '../../model/time/clock.js';
import { type EpochMs, ms, type Ms } from '../../model/time/duration.js';
import { TaskRequests } from '../client/task-requests.js';
import type { EngineEventEmitter } from '../engine-events.js';
import { setDeadline } from '../lifecycle/deadline.js';
import { EarliestTimer } from '../lifecycle/earliest-timer.js';
import type { BrokerReachability } from '../lifecycle/broker-monitor.js';
import { PeriodicService } from '../lifecycle/periodic-service.js';
import type { ThrottledLogger } from '../lifecycle/throttled-logger.js';
import type { GroupMux } from './group-mux.js';
import { SetAggregation, type SetAggregationDeps } from './set-aggregation.js';

export interface AggregatorDeps {
  readonly maintenance: Pick<MaintenanceContract, 'listGroups' | 'collectGroup'> & SetAggregationDeps['maintenance'];
  readonly queues: readonly string[];
  readonly groups: GroupMux;
  /** When a group is ready; a size or a delay of 0 means no limit. */
  readonly limits: { readonly gracePeriod: Ms; readonly maxDelay: Ms; readonly maxSize: number };
  /** How many groups are aggregated at once. */
  readonly concurrency: number;
  readonly shutdownTimeout: Ms;
  readonly codec: PayloadCodec;
  readonly clock: Clock;
  readonly brokerMonitor: BrokerReachability;
  readonly events: EngineEventEmitter;
  readonly logger: ThrottledLogger;
}

interface Group {
  readonly queue: string;
  readonly group: string;
}

/** Every group is checked this often, whatever is known about it (S-119). */
const maxInterval = ms(7_000);

/**
 * Turns groups that are full or old enough into one task each. A timer is set to when the next group can be ready; a
 * slow look at every group finds new ones, and those that became full. A group is collected only when there is room to
 * aggregate it, so that the two minutes of a set are spent on its aggregation.
 */
export class Aggregator extends PeriodicService {
  readonly #deps: AggregatorDeps;
  readonly #timer: EarliestTimer;
  readonly #requests: TaskRequests;
  /** Groups to check, longest waiting first. */
  readonly #waiting = new Map<string, Group>();
  /** Groups that are being checked or aggregated. */
  readonly #busy = new Map<string, Promise<void>>();
  readonly #running = new Set<SetAggregation>();
  /** When each group can be ready, as far as known. */
  readonly #readyAt = new Map<string, { readonly group: Group; readonly at: EpochMs }>();
  #mode: 'stopped' | 'collecting' | 'draining' = 'stopped';
  #limit: Timer | undefined;

  constructor(deps: AggregatorDeps) {
    const { clock, brokerMonitor, logger, limits, codec } = deps;
    const every = limits.gracePeriod < maxInterval ? limits.gracePeriod : maxInterval;
    super({ name: 'aggregator', every, first: 'at-once', whileDown: 'rest', clock, brokerMonitor, logger });
    this.#deps = deps;
    this.#timer = new EarliestTimer({ clock, onFire: (now) => this.#onTime(now) });
    this.#requests = new TaskRequests({ codec, clock, defaults: noOptions });
  }

  override async start(): Promise<void> {
    this.#mode = 'collecting';
    await super.start();
  }

  /** Stops collecting; running aggregations may continue until the shutdown timeout, which begins now. */
  stopCollecting(): void {
    if (this.#mode !== 'collecting') return;
    this.#mode = 'draining';
    this.#timer.cancel();
    this.#waiting.clear();
    this.#readyAt.clear();
    this.#limit = setDeadline(this.#deps.clock, this.#deps.shutdownTimeout, () => {
      for (const aggregation of this.#running) aggregation.abandon();
    });
  }

  override async stop(): Promise<void> {
    this.stopCollecting();
    await super.stop();
    await Promise.all(this.#busy.values());
    this.#limit?.cancel();
    this.#mode = 'stopped';
  }

  override async runOnce(): Promise<undefined> {
    const { queues, maintenance, groups } = this.#deps;
    await this.forEachQueue(queues, async (queue) => {
      for (const group of await maintenance.listGroups(queue)) {
        if (groups.aggregatorFor({ queue, group }) !== undefined) this.#consider({ queue, group });
      }
      this.#checkNext();
    });
    return undefined;
  }

  #onTime(now: EpochMs): EpochMs | undefined {
    let next: EpochMs | undefined;
    for (const [key, { group, at }] of this.#readyAt) {
      if (at <= now) {
        this.#readyAt.delete(key);
        this.#consider(group);
      } else if (next === undefined || at < next) {
        next = at;
      }
    }
    this.#checkNext();
    return next;
  }

  /** A busy group is checked again when it is done. */
  #consider(group: Group): void {
    const key = keyOf(group);
    if (this.#mode === 'collecting' && !this.#busy.has(key)) this.#waiting.set(key, group);
  }

  #checkNext(): void {
    const { concurrency, brokerMonitor } = this.#deps;
    while (this.#mode === 'collecting' && this.#busy.size < concurrency && brokerMonitor.isUp()) {
      const [next] = this.#waiting;
      if (next === undefined) return;
      const [key, group] = next;
      this.#waiting.delete(key);
      this.#busy.set(key, this.#check(group));
    }
  }

  /** Never rejects. */
  async #check(group: Group): Promise<void> {
    const key = keyOf(group);
    let wasReady = false;
    try {
      wasReady = await this.#aggregateIfReady(group);
    } catch (error) {
      this.#report(group, error);
    }
    this.#busy.delete(key);
    // The rest of the group may be ready, too; other groups come first.
    if (wasReady) this.#consider(group);
    this.#checkNext();
  }

  async #aggregateIfReady(group: Group): Promise<boolean> {
    const { maintenance, clock, limits, groups, codec, events, logger } = this.#deps;
    const aggregator = groups.aggregatorFor(group);
    if (aggregator === undefined) return false;
    const checked = await maintenance.collectGroup({ ...group, ...limits, now: clock.now() });
    if (checked.kind === 'not-ready') {
      if (checked.readyAt !== undefined) this.#expect(group, checked.readyAt);
      return false;
    }
    const requests = this.#requests;
    const aggregation = new SetAggregation(
      { maintenance, aggregator, requests, codec, clock, events, logger },
      { ...group, setId: checked.setId },
    );
    // It was collected while the server began to shut down.
    if (this.#mode !== 'collecting') aggregation.abandon();
    this.#running.add(aggregation);
    await aggregation.run();
    this.#running.delete(aggregation);
    return true;
  }

  #expect(group: Group, at: EpochMs): void {
    if (this.#mode !== 'collecting') return;
    this.#readyAt.set(keyOf(group), { group, at });
    this.#timer.fireBy(at);
  }

  #report({ queue, group }: Group, error: unknown): void {
    const text = `Group "${group}" of queue "${queue}" could not be checked: ${describeError(error)}`;
    // The broker monitor has already logged it.
    if (error instanceof BrokerUnavailableError) this.#deps.logger.debug(text);
    else this.#deps.logger.error(text, { kind: `group not checked ${queue}` });
  }
}

function keyOf({ queue, group }: Group): string {
  return JSON.stringify([queue, group]);
}
