import {
  type DequeueRequest,
  type DequeueResult,
  maxLookedAt,
  maxTypesNamed,
  oldestLookedAt,
  type TypeFilter,
} from '../model/broker/work.contract.js';
import { decodeTaskMessage } from '../model/task/task-message.codec.js';
import type { MemoryQueue, MemoryTask } from './memory-state.js';

/** A task that has left `pending`. */
interface TakenTask {
  readonly taskId: string;
  readonly task: MemoryTask;
}

/** The taken tasks, and what is known about the rest. */
export interface TakenTasks extends Pick<DequeueResult, 'left' | 'others'> {
  readonly taken: readonly TakenTask[];
  /** How many ids without a stored task were dropped. */
  readonly dropped: number;
}

/** How many ids without a task one call drops at most. */
const maxDropped = 1_000;

/** Takes the next tasks to run; drops a bounded number of ids without a task on the way. */
export function takePending(
  queue: MemoryQueue,
  { limit, filter }: Pick<DequeueRequest, 'limit' | 'filter'>,
): TakenTasks {
  if (filter !== undefined) return takeKnown(queue, { limit, filter });
  const taken: TakenTask[] = [];
  let dropped = 0;
  while (taken.length < limit && dropped <= maxDropped) {
    const taskId = queue.pending.takeFirst();
    if (taskId === undefined) return { taken, left: 'drained', dropped };
    const task = queue.tasks.get(taskId);
    if (task === undefined) dropped += 1;
    else taken.push({ taskId, task });
  }
  return { taken, left: 'some', dropped };
}

/** Takes the next tasks of some types: checks a bounded number, and leaves the others in place. */
function takeKnown(
  queue: MemoryQueue,
  { limit, filter }: { readonly limit: number; readonly filter: TypeFilter },
): TakenTasks {
  const { pending, tasks } = queue;
  const taken: TakenTask[] = [];
  const types = new Set<string>();
  let lookedUpTo: string | undefined;
  let dropped = 0;
  const lookAt = (room: number, last?: string): ((taskId: string) => 'take' | 'leave' | 'stop') => {
    let seen = 0;
    let hasMetLast = false;
    return (taskId) => {
      if (seen === room || hasMetLast || taken.length === limit) return 'stop';
      seen += 1;
      hasMetLast = taskId === last;
      const task = tasks.get(taskId);
      if (task === undefined) {
        dropped += 1;
        return 'take';
      }
      const type = typeOf(task);
      if (type === undefined || isMeant(type, filter)) {
        taken.push({ taskId, task });
        return 'take';
      }
      if (types.size < maxTypesNamed) types.add(type);
      lookedUpTo = taskId;
      return 'leave';
    };
  };
  const { lookedUpTo: newestSeen } = filter;
  const isResumed = newestSeen !== undefined && pending.has(newestSeen);
  if (isResumed) {
    pending.sift(lookAt(oldestLookedAt, newestSeen));
    lookedUpTo = newestSeen;
  }
  const isFull = taken.length === limit;
  const ended = pending.sift(lookAt(maxLookedAt), isResumed ? newestSeen : undefined);
  const others = lookedUpTo === undefined ? undefined : { types: [...types], lookedUpTo };
  if (pending.size === 0) return { taken, left: 'drained', dropped };
  return { taken, left: ended === 'end' && !isFull ? 'others' : 'some', others, dropped };
}

/** Returns the type of a task; `undefined` if the record does not decode. */
function typeOf({ record }: MemoryTask): string | undefined {
  const decoded = decodeTaskMessage(record);
  return decoded.ok ? decoded.message.type : undefined;
}

function isMeant(type: string, { patterns, except }: TypeFilter): boolean {
  return (
    !except.has(type) &&
    patterns.some((pattern) => (pattern.match === 'exact' ? type === pattern.type : type.startsWith(pattern.type)))
  );
}
