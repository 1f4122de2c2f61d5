import type { EnqueueRequest } from '../model/broker/enqueue.contract.js';
import { checkTaskType, type TaskDefinition } from '../model/task/task-definition.js';
import type { Headers } from '../model/task/task-message.js';
import type { TaskState } from '../model/task/task-state.js';
import { type EpochMs, fromEpochSeconds, fromSeconds } from '../model/time/duration.js';

/** A task that the application enqueued. */
export interface EnqueuedTask {
  readonly id: string;
  readonly type: string;
  readonly queue: string;
  /** The payload decoded by the codec, before a schema transforms it. */
  readonly payload: unknown;
  /** Its state now; `gone` if it is no longer stored because it succeeded, was revoked or was deleted. */
  readonly state: TaskState | 'gone';
  readonly enqueuedAt: Date;
  /** When it is due; `enqueuedAt` if it should run at once. */
  readonly processAt: Date;
  readonly maxRetry: number;
  /** Milliseconds, in whole seconds; `undefined` means none. */
  readonly timeout: number | undefined;
  readonly deadline: Date | undefined;
  /** Milliseconds, in whole seconds; 0 means not at all. */
  readonly retention: number;
  /** How long equal tasks are refused, in milliseconds from the moment it was enqueued; 0 means not at all. */
  readonly unique: number;
  readonly group: string | undefined;
  readonly headers: Headers | undefined;
  /** Name of the instance that enqueued it: `'default'`, unless it was registered with one. */
  readonly instance: string;
}

/** Where a record comes from, and how the task is looked at now. */
export interface EnqueuedBy {
  readonly instance: () => string;
  readonly decode: (payload: Uint8Array) => unknown;
  readonly state: () => TaskState | undefined;
}

interface EnqueueRecord {
  readonly request: EnqueueRequest;
  readonly now: EpochMs;
  readonly by: EnqueuedBy;
}

/** Every task that was enqueued since the start or the last `clear`, oldest first. */
export class EnqueuedTasks {
  #records: EnqueueRecord[] = [];

  add(record: EnqueueRecord): void {
    this.#records.push(record);
  }

  clear(): void {
    this.#records = [];
  }

  all(): readonly EnqueuedTask[] {
    return this.#records.map(enqueuedTask);
  }
}

/** Returns the type of a task that is given by its type or its definition. @throws InvalidTaskError. */
export function typeNameOf(task: string | Pick<TaskDefinition, 'type'>): string {
  return checkTaskType(typeof task === 'string' ? task : task.type);
}

function enqueuedTask({ request, now, by }: EnqueueRecord): EnqueuedTask {
  const { message, place, uniqueForSeconds } = request;
  return {
    id: message.id,
    type: message.type,
    queue: message.queue,
    payload: by.decode(message.payload),
    state: by.state() ?? 'gone',
    enqueuedAt: new Date(now),
    processAt: new Date(place.kind === 'scheduled' ? place.processAt : now),
    maxRetry: message.maxRetry,
    timeout: message.timeoutSeconds === 0 ? undefined : fromSeconds(message.timeoutSeconds),
    deadline: message.deadlineSeconds === 0 ? undefined : new Date(fromEpochSeconds(message.deadlineSeconds)),
    retention: fromSeconds(message.retentionSeconds),
    unique: fromSeconds(uniqueForSeconds),
    group: message.group === '' ? undefined : message.group,
    headers: message.headers,
    instance: by.instance(),
  };
}
