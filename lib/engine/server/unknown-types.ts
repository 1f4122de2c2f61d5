import type { DequeueResult, TypeFilter } from '../../model/broker/work.contract.js';
import type { TaskPattern } from '../../model/task/task-pattern.js';
import type { Clock } from '../../model/time/clock.js';
import { ms, type Ms } from '../../model/time/duration.js';
import type { ThrottledLogger } from '../lifecycle/throttled-logger.js';

export interface UnknownTypesDeps {
  /** The patterns of the handlers. */
  readonly patterns: () => readonly TaskPattern[];
  readonly clock: Clock;
  readonly logger: Pick<ThrottledLogger, 'warn'>;
}

/** A queue in which tasks of unknown types were met. */
interface MixedQueue {
  /** When such a task was last met; monotonic. */
  metAt: Ms;
  lookedUpTo: string | undefined;
  /** How many fetches in a row found nothing to run. */
  emptyLooks: number;
  /** Types that were taken despite the filter. */
  readonly except: Set<string>;
  /** When to check everything again; monotonic. */
  restartAt: Ms;
}

/** How long a queue is fetched with a filter after the last task of an unknown type. */
const typesRememberedFor = ms(60_000);
/** The pause between two parts of a queue without a task to run; it leaves time for others. */
const betweenParts = ms(5);
/** The pause after a fetch that left only tasks of unknown types; doubled for each in a row that found nothing to run. */
const firstPause = ms(10);
const maxPause = ms(100);
/** Checked tasks are checked again after this time, plus some more per part of the queue. */
const restartAfter = ms(10_000);
const restartPerPart = ms(2_000);
/** Each type is logged once; programs that generate types must not fill memory. */
const maxTypes = 1_000;

/**
 * Tracks tasks without a handler in this server. A queue in which one was met is fetched from with a filter, so that
 * those tasks stay where other servers find them.
 */
export class UnknownTypes {
  readonly #queues = new Map<string, MixedQueue>();
  readonly #told = new Set<string>();

  constructor(private readonly deps: UnknownTypesDeps) {}

  /** Notes that a task of such a type was taken, and goes back. */
  taken(queue: string, type: string): void {
    const mixed = this.#queues.get(queue);
    // Taken despite the filter, or before there was one: either way it must not be taken again.
    if (mixed !== undefined) this.#exclude(mixed, type);
    this.#met(queue, [type]);
  }

  /** Returns which tasks the next fetch from a queue takes; `undefined` for all. */
  filterOf(queue: string): TypeFilter | undefined {
    const mixed = this.#queues.get(queue);
    if (mixed === undefined) return undefined;
    const now = this.deps.clock.monotonic();
    if (now - mixed.metAt > typesRememberedFor) {
      this.#queues.delete(queue);
      return undefined;
    }
    if (now >= mixed.restartAt) {
      mixed.lookedUpTo = undefined;
      mixed.restartAt = ms(now + restartAfter);
    }
    return { patterns: this.deps.patterns(), except: mixed.except, lookedUpTo: mixed.lookedUpTo };
  }

  /** Notes the reply to a fetch with a filter; returns how long to wait before the next, 0 as without a filter. */
  looked(queue: string, { messages, others, left }: Pick<DequeueResult, 'messages' | 'others' | 'left'>): Ms {
    if (others !== undefined) this.#met(queue, others.types);
    const mixed = this.#queues.get(queue);
    if (mixed === undefined) return ms(0);
    mixed.lookedUpTo = others?.lookedUpTo;
    const found = messages.length > 0;
    if (left === 'some') {
      if (found) return ms(0);
      mixed.restartAt = ms(mixed.restartAt + restartPerPart);
      return betweenParts;
    }
    if (left !== 'others') return ms(0);
    mixed.emptyLooks = found ? 0 : mixed.emptyLooks + 1;
    return ms(Math.min(firstPause * 2 ** mixed.emptyLooks, maxPause));
  }

  #met(queue: string, types: readonly string[]): void {
    const metAt = this.deps.clock.monotonic();
    const mixed = this.#queues.get(queue);
    if (mixed === undefined) {
      const restartAt = ms(metAt + restartAfter);
      this.#queues.set(queue, { metAt, lookedUpTo: undefined, emptyLooks: 0, except: new Set(), restartAt });
    } else {
      mixed.metAt = metAt;
    }
    for (const type of types) this.#tell(queue, type);
  }

  #exclude({ except }: MixedQueue, type: string): void {
    if (except.size >= maxTypes) except.clear();
    except.add(type);
  }

  #tell(queue: string, type: string): void {
    if (this.#told.has(type)) return;
    if (this.#told.size >= maxTypes) this.#told.clear();
    this.#told.add(type);
    this.deps.logger.warn(
      `No handler here for tasks of type "${type}": they stay in queue "${queue}" for other servers`,
      {
        kind: 'unknown type',
      },
    );
  }
}
