import type { Broker } from '../model/broker/broker.js';
import type { StorageNotice } from '../model/broker/storage-notice.js';
import type { UndecodableTask } from '../model/broker/work.contract.js';
import { assertNever } from '../model/errors/asynq-error.js';
import type { EngineEventEmitter } from './engine-events.js';
import type { Service } from './lifecycle/service.js';
import type { ThrottledLogger } from './lifecycle/throttled-logger.js';

export interface StorageReporterDeps {
  readonly broker: Pick<Broker, 'onNotice'>;
  readonly logger: ThrottledLogger;
  /** Where it is announced; a client has no events. */
  readonly events?: EngineEventEmitter;
}

/** Keys that are made up by whoever writes to Redis must not fill memory. */
const maxKeys = 1_000;

/**
 * Says what storage met and worked around: each key of a wrong type once, and lost tasks by place, one line in 30 s with
 * their number. Every notice of lost tasks is an event. A server has a reporter always; a client and a scheduler report
 * on a broker of their own only, since a shared one is talked about by its owner.
 */
export class StorageReporter implements Service {
  readonly name = 'storage reporter';
  #stop: (() => void) | undefined;

  constructor(private readonly deps: StorageReporterDeps) {}

  start(): Promise<void> {
    this.#stop ??= reportStorage(this.deps);
    return Promise.resolve();
  }

  stop(): Promise<void> {
    this.#stop?.();
    this.#stop = undefined;
    return Promise.resolve();
  }
}

/** The same from now on, without a service, until the broker is closed; returns a function that ends it earlier. */
export function reportStorage({ broker, logger, events }: StorageReporterDeps): () => void {
  const keys = new Set<string>();
  return broker.onNotice((notice) => {
    if (notice.kind === 'wrong-type') {
      if (keys.has(notice.key)) return;
      if (keys.size >= maxKeys) keys.clear();
      keys.add(notice.key);
    }
    report(notice, { logger, events });
  });
}

function report(
  notice: StorageNotice,
  { logger, events }: { readonly logger: ThrottledLogger; readonly events: EngineEventEmitter | undefined },
): void {
  switch (notice.kind) {
    case 'wrong-type': {
      const { queue, key, expected, found } = notice;
      logger.error(
        `Key "${key}" must be a ${expected} but is a ${found}: what needs it does not work until it is deleted`,
      );
      return events?.emit('wrongType', { queue, key, expected, found });
    }
    case 'dropped': {
      const { queue, from, count } = notice;
      const tasks = count === 1 ? '1 task' : `${count.toLocaleString('en-US')} tasks`;
      logger.warn(
        `${tasks} of queue "${queue}" (${from}) lost: stored no longer, because somebody deleted or Redis evicted them`,
        { kind: `dropped ${queue} ${from}`, count },
      );
      return events?.emit('dropped', { queue, from, count });
    }
    default:
      return assertNever(notice);
  }
}

/** Says of each task that does not decode that it was archived, and why. */
export function reportUndecodable(
  tasks: readonly UndecodableTask[],
  { logger, events }: { readonly logger: ThrottledLogger; readonly events: EngineEventEmitter },
): void {
  for (const { queue, taskId, reason } of tasks) {
    logger.error(`Task "${taskId}" of queue "${queue}" does not decode and was archived: ${reason}`, {
      kind: `undecodable ${queue}`,
    });
    events.emit('undecodable', { task: { id: taskId, queue }, reason });
  }
}
