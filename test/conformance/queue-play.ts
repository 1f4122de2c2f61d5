import * as fc from 'fast-check';
import type { Broker } from '../../lib/model/broker/broker.js';
import type { Recovery } from '../../lib/model/broker/maintenance.contract.js';
import type { CancelOutcome } from '../../lib/model/broker/presence.contract.js';
import type { RunClaim, Settlement } from '../../lib/model/broker/work.contract.js';
import type { TaskMessage } from '../../lib/model/task/task-message.js';
import { addMs, type EpochMs, ms } from '../../lib/model/time/duration.js';
import { ended, now, runTaken } from './task-words.js';

/** Something that may happen to a queue. Ids are few, so that everything happens to the same tasks. */
export type Move =
  | { readonly do: 'enqueue'; readonly id: string; readonly place: 'pending' | 'scheduled' | 'aggregating' }
  | { readonly do: 'dequeue'; readonly limit: number }
  | { readonly do: 'settle'; readonly kind: Settlement['kind']; readonly nth: number }
  | { readonly do: 'extend' | 'crash' | 'forward' | 'expire' | 'collect' | 'aggregate' | 'reclaim' | 'reconcile' }
  | { readonly do: 'recover'; readonly kind: Recovery['settlement']['kind'] }
  | { readonly do: 'cancel'; readonly id: string; readonly outcome: CancelOutcome }
  | { readonly do: 'wait'; readonly ms: number };

/** The tasks that are played with. */
export const playedIds = ['a', 'b', 'c', 'd', 'e'];
/** The group of those that are grouped. */
export const playedGroup = 'g';
const kinds = ['done', 'complete', 'retry', 'archive', 'delete', 'requeue', 'snooze'] as const;

/** Any move; the common ones more often. */
export const anyMove: fc.Arbitrary<Move> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('enqueue' as const),
      id: fc.constantFrom(...playedIds),
      place: fc.constantFrom('pending', 'pending', 'scheduled', 'aggregating'),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('dequeue' as const), limit: fc.integer({ min: 1, max: 3 }) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('settle' as const),
      kind: fc.constantFrom(...kinds),
      nth: fc.nat({ max: 4 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('wait' as const),
      ms: fc.constantFrom(1, 400, 1_000, 5_000, 31_000, 130_000),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom('extend', 'crash', 'forward', 'expire', 'collect', 'aggregate', 'reclaim', 'reconcile'),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('recover' as const),
      kind: fc.constantFrom('retry', 'archive', 'delete', 'requeue'),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('cancel' as const),
      id: fc.constantFrom(...playedIds),
      outcome: fc.constantFrom('archive', 'delete', 'retry'),
    }),
  },
);

const owner = 'h:1:s';

/** A queue to play with. */
export interface PlayedQueue {
  readonly queue: string;
  readonly broker: Broker;
  message(fields: Partial<TaskMessage>): TaskMessage;
}

/** A client, a worker and their maintenance on one queue; the worker may die and go on settling what it had. */
export class QueuePlay {
  now: EpochMs;
  #running: { readonly message: TaskMessage; readonly claim: RunClaim }[] = [];
  #set: string | undefined;

  constructor(
    private readonly tasks: PlayedQueue,
    start: EpochMs = now,
  ) {
    this.now = start;
  }

  async make(move: Move): Promise<void> {
    const { broker, queue } = this.tasks;
    const { now } = this;
    switch (move.do) {
      case 'enqueue': {
        const group = move.place === 'aggregating' ? playedGroup : '';
        const message = this.tasks.message({ id: move.id, retentionSeconds: 60, group });
        const place = { kind: move.place, processAt: addMs(now, ms(1_500)) };
        await broker.enqueue.enqueue([{ message, place, uniqueForSeconds: 0, idIsGenerated: false }], now);
        return;
      }
      case 'dequeue': {
        const leaseUntil = addMs(now, ms(30_000));
        const { messages } = await broker.work.dequeue({ queue, limit: move.limit, now, leaseUntil, owner });
        this.#running.push(...messages.map((message) => ({ message, claim: runTaken(now) })));
        return;
      }
      case 'settle': {
        const [run] = this.#running.splice(move.nth, 1);
        if (run === undefined) return;
        const settlement = settlementOf(move.kind, run.message, now);
        const settlements = ended([settlement], run.claim);
        await broker.work.settle({ queue, owner, settlements, now });
        return;
      }
      case 'extend': {
        const leaseUntil = addMs(now, ms(30_000));
        const leases = this.#running.map(({ message, claim }) => ({
          taskId: message.id,
          until: leaseUntil,
          takenAt: claim.takenAt,
        }));
        const { lost } = await broker.work.extendLeases({ queue, owner, leases, leaseUntil });
        this.#running = this.#running.map(({ message, claim }) => ({
          message,
          claim: lost.includes(message.id) ? claim : { ...claim, leaseUntil, leaseAsked: leaseUntil },
        }));
        return;
      }
      case 'crash':
        this.#running = this.#running.slice(0, 1);
        return;
      case 'forward':
        await broker.maintenance.forwardDue({ queue, now, limit: 2 });
        return;
      case 'expire':
        await broker.maintenance.deleteExpiredCompleted({ queue, now, limit: 2 });
        return;
      case 'collect': {
        const limits = { maxSize: 2, maxDelay: ms(0), gracePeriod: ms(1_000) };
        const checked = await broker.maintenance.collectGroup({ queue, group: playedGroup, now, ...limits });
        if (checked.kind === 'collected') this.#set = checked.setId;
        return;
      }
      case 'aggregate':
        if (this.#set !== undefined) {
          await broker.maintenance.deleteAggregationSet({ queue, group: playedGroup, setId: this.#set });
        }
        return;
      case 'reclaim':
        await broker.maintenance.reclaimAggregationSets({ queue, now });
        return;
      case 'reconcile':
        return;
      case 'recover': {
        const { leases } = await broker.maintenance.listExpiredLeases({ queue, expiredBy: now, now, limit: 2 });
        const recoveries = leases.map(({ message, leaseSeconds }) => ({
          settlement: settlementOf(move.kind, message, now) as Recovery['settlement'],
          leaseSeconds,
        }));
        await broker.maintenance.recover(queue, recoveries, now);
        return;
      }
      case 'cancel':
        await broker.presence.cancel({ queue, taskId: move.id, outcome: move.outcome, now });
        return;
      case 'wait':
        this.now = addMs(now, ms(move.ms));
    }
  }
}

function settlementOf(kind: Settlement['kind'], message: TaskMessage, now: EpochMs): Settlement {
  switch (kind) {
    case 'complete':
      return { kind, message, expiresAt: addMs(now, ms(60_000)), result: undefined };
    case 'retry':
      return { kind, message, retryAt: addMs(now, ms(2_250)), counts: 'as-failure' };
    case 'snooze':
      return { kind, message, until: addMs(now, ms(700)) };
    case 'done':
    case 'archive':
    case 'delete':
    case 'requeue':
      return { kind, message };
  }
}
