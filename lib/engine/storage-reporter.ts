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
  /** Emits the events; a client has none. */
  readonly events?: EngineEventEmitter;
}

/** Keys that another program generates must not fill memory. */
const maxKeys = 1_000;

/**
 * Reports what storage found and worked around: each key of a wrong type once, and lost tasks by place, in one line per
 * 30 s with their count. Every notice of lost tasks is an event. A server always has a reporter; a client and a
 * scheduler report only on their own broker, since the owner of a shared one reports on it.
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

/** Reports from now on, without a service, until the broker is closed. Returns a function that stops it earlier. */
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
        `Key "${key}" must be a ${expected} but is a ${found}: operations that need it fail until it is deleted`,
      );
      return events?.emit('wrongType', { queue, key, expected, found });
    }
    case 'dropped': {
      const { queue, from, count } = notice;
      const tasks = count === 1 ? '1 task' : `${count.toLocaleString('en-US')} tasks`;
      logger.warn(
        `${tasks} of queue "${queue}" (${from}) lost: they are no longer stored, because somebody deleted or Redis evicted them`,
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
