import { randomUUID } from 'node:crypto';
import type { EnqueuePlace, EnqueueRequest } from '../../model/broker/enqueue.contract.js';
import { InvalidOptionError } from '../../model/errors/option-errors.js';
import { InvalidTaskError } from '../../model/errors/task-errors.js';
import { defaultQueue } from '../../model/queue/queue-name.js';
import { encodePayload, type PayloadCodec } from '../../model/task/payload.codec.js';
import { RecordedTaskInfo, type TaskInfo } from '../../model/task/task-info.js';
import type { TaskMessage } from '../../model/task/task-message.js';
import type { TaskOptions } from '../../model/task/task-options.js';
import { uniqueKeyOf } from '../../model/task/unique-key.js';
import { addMs, type EpochMs, ms, toEpochSecondsUp, toSecondsUp } from '../../model/time/duration.js';

/** A task that a caller wants to enqueue: checked, but not yet complete. */
export interface NewTask {
  readonly type: string;
  readonly payload: unknown;
  readonly options: TaskOptions;
}

/** Default number of retries (C-14). */
const defaultMaxRetry = 25;
/** Default time limit of a run when the caller gives neither timeout nor deadline (C-28). */
const defaultTimeoutSeconds = 1_800;
/** The largest value that Redis accepts. */
const maxRecordBytes = 512 * 1024 * 1024;

const pendingPlace: EnqueuePlace = { kind: 'pending' };
const aggregatingPlace: EnqueuePlace = { kind: 'aggregating' };

/**
 * Completes a task with its defaults and decides where it goes (C-14 to C-41).
 *
 * @throws InvalidTaskError when its payload cannot be encoded or it is too large for Redis.
 * @throws InvalidOptionError when its deadline has passed.
 */
export function requestFor(
  { type, payload, options }: NewTask,
  { codec, now }: { readonly codec: PayloadCodec; readonly now: EpochMs },
): EnqueueRequest {
  const { queue = defaultQueue, deadline, unique, taskId } = options;
  if (deadline !== undefined && deadline <= now) {
    throw new InvalidOptionError({
      path: 'enqueue: options.deadline',
      value: new Date(deadline),
      allowed: 'in the future',
    });
  }
  const bytes = bytesOf(type, payload, codec);
  const timeoutSeconds = toSecondsUp(options.timeout ?? ms(0));
  const message: TaskMessage = {
    type,
    payload: bytes,
    id: taskId ?? randomUUID(),
    queue,
    maxRetry: options.maxRetry ?? defaultMaxRetry,
    retried: 0,
    errorMessage: '',
    timeoutSeconds: timeoutSeconds === 0 && deadline === undefined ? defaultTimeoutSeconds : timeoutSeconds,
    // Rounded up; otherwise a deadline less than a second away would pass before the task can run.
    deadlineSeconds: deadline === undefined ? 0 : toEpochSecondsUp(deadline),
    uniqueKey:
      unique === undefined ? '' : uniqueKeyOf({ queue, type, payload: payload === undefined ? undefined : bytes }),
    lastFailedAtSeconds: 0,
    retentionSeconds: toSecondsUp(options.retention ?? ms(0)),
    completedAtSeconds: 0,
    group: options.group ?? '',
    headers: options.headers === undefined || isEmpty(options.headers) ? undefined : options.headers,
    unknownFields: undefined,
  };
  checkLength(message);
  const processAt = options.processIn === undefined ? options.processAt : addMs(now, options.processIn);
  const waits = processAt !== undefined && processAt > now;
  return {
    message,
    place: waits ? { kind: 'scheduled', processAt } : message.group === '' ? pendingPlace : aggregatingPlace,
    // The lock of a delayed task also covers the delay (P-26).
    uniqueForSeconds: unique === undefined ? 0 : toSecondsUp(ms(unique + (waits ? processAt - now : 0))),
    idIsGenerated: taskId === undefined,
  };
}

/** Returns the info about a task that was enqueued at `now`, built from what was sent, not read back (C-32). */
export function taskInfoOf(
  { message, place }: EnqueueRequest,
  { now, codec }: { readonly now: EpochMs; readonly codec: PayloadCodec },
): TaskInfo {
  const state = place.kind;
  return new RecordedTaskInfo({ message, state, nextProcessAt: nextProcessAt(place, now), result: undefined, codec });
}

function nextProcessAt(place: EnqueuePlace, now: EpochMs): Date | undefined {
  if (place.kind === 'aggregating') return undefined;
  return new Date(place.kind === 'scheduled' ? place.processAt : now);
}

function bytesOf(type: string, payload: unknown, codec: PayloadCodec): Uint8Array {
  try {
    return encodePayload(payload, codec);
  } catch (error) {
    if (!(error instanceof InvalidTaskError)) throw error;
    throw new InvalidTaskError(`Task "${type}" cannot be enqueued: ${error.message}`, { cause: error.cause ?? error });
  }
}

function checkLength(message: TaskMessage): void {
  const { payload, type, id, group, headers } = message;
  // A character takes at most three bytes, and the unique key also contains type and queue.
  let length = payload.length + 3 * (2 * type.length + id.length + 2 * message.queue.length + group.length) + 1_000;
  if (headers !== undefined)
    for (const key of Object.keys(headers)) length += 3 * (key.length + (headers[key] as string).length) + 20;
  if (length <= maxRecordBytes) return;
  throw new InvalidTaskError(
    `Task "${type.slice(0, 60)}" cannot be enqueued: it takes about ${Math.ceil(length / 1024 / 1024)} MB, and Redis accepts at most 512 MB`,
  );
}

function isEmpty(headers: object): boolean {
  for (const _key in headers) return false;
  return true;
}
