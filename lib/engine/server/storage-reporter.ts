import type { Broker } from '../../model/broker/broker.js';
import { assertNever } from '../../model/errors/asynq-error.js';
import type { StorageNotice } from '../../model/broker/storage-notice.js';
import type { EngineEventEmitter } from '../engine-events.js';
import type { Service } from '../lifecycle/service.js';
import type { ThrottledLogger } from '../lifecycle/throttled-logger.js';

export interface StorageReporterDeps {
  readonly broker: Pick<Broker, 'onNotice'>;
  readonly events: EngineEventEmitter;
  readonly logger: ThrottledLogger;
}

/** Keys that are made up by whoever writes to Redis must not fill memory. */
const maxKeys = 1_000;

/**
 * Says what storage met and worked around: each key of a wrong type once, and lost tasks by place, one line in 30 s with
 * their number. Every notice of lost tasks is an event.
 */
export class StorageReporter implements Service {
  readonly name = 'storage reporter';
  /** Keys of a wrong type that were told of. */
  readonly #keys = new Set<string>();
  #stopListening: (() => void) | undefined;

  constructor(private readonly deps: StorageReporterDeps) {}

  start(): Promise<void> {
    this.#stopListening ??= this.deps.broker.onNotice((notice) => this.#report(notice));
    return Promise.resolve();
  }

  stop(): Promise<void> {
    this.#stopListening?.();
    this.#stopListening = undefined;
    return Promise.resolve();
  }

  #report(notice: StorageNotice): void {
    const { events, logger } = this.deps;
    switch (notice.kind) {
      case 'wrong-type': {
        const { queue, key, expected, found } = notice;
        if (this.#keys.has(key)) return;
        if (this.#keys.size >= maxKeys) this.#keys.clear();
        this.#keys.add(key);
        logger.error(
          `Key "${key}" must be a ${expected} but is a ${found}: what needs it does not work until it is deleted`,
        );
        return events.emit('wrongType', { queue, key, expected, found });
      }
      case 'dropped': {
        const { queue, from, count } = notice;
        const tasks = count === 1 ? '1 task' : `${count.toLocaleString('en-US')} tasks`;
        logger.warn(
          `${tasks} of queue "${queue}" (${from}) lost: stored no longer, because somebody deleted or Redis evicted them`,
          { kind: `dropped ${queue} ${from}`, count },
        );
        return events.emit('dropped', { queue, from, count });
      }
      default:
        return assertNever(notice);
    }
  }
}
