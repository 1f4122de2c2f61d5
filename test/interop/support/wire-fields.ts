import type { ServerInfo, ServerStatus, WorkerInfo } from '../../../lib/model/broker/presence.js';
import type { PublishedSchedule, ScheduleEvent } from '../../../lib/model/cron/published-schedule.js';
import type { TaskMessage } from '../../../lib/model/task/task-message.js';
import { epochMs, type EpochMs } from '../../../lib/model/time/duration.js';

/**
 * A record as Go prints it in protobuf's JSON mapping: names of the wire, defaults left out, bytes in base64, 64-bit
 * numbers as text, instants in RFC 3339.
 */
export type WireFields = Readonly<Record<string, unknown>>;

/** What our codec calls the fields of a TaskMessage. */
export function taskMessageOf(fields: WireFields): TaskMessage {
  return {
    type: text(fields['type']),
    payload: bytes(fields['payload']),
    id: text(fields['id']),
    queue: text(fields['queue']),
    maxRetry: number(fields['retry']),
    retried: number(fields['retried']),
    errorMessage: text(fields['error_msg']),
    timeoutSeconds: number(fields['timeout']),
    deadlineSeconds: number(fields['deadline']),
    uniqueKey: text(fields['unique_key']),
    lastFailedAtSeconds: number(fields['last_failed_at']),
    retentionSeconds: number(fields['retention']),
    completedAtSeconds: number(fields['completed_at']),
    group: text(fields['group_key']),
    headers: fields['headers'] as Record<string, string> | undefined,
    unknownFields: undefined,
  };
}

/** The same the other way round, for records that the tests make up; defaults may be there. */
export function wireFieldsOf(message: TaskMessage): WireFields {
  return {
    type: message.type,
    payload: Buffer.from(message.payload).toString('base64'),
    id: message.id,
    queue: message.queue,
    retry: message.maxRetry,
    retried: message.retried,
    error_msg: message.errorMessage,
    timeout: String(message.timeoutSeconds),
    deadline: String(message.deadlineSeconds),
    unique_key: message.uniqueKey,
    last_failed_at: String(message.lastFailedAtSeconds),
    retention: String(message.retentionSeconds),
    completed_at: String(message.completedAtSeconds),
    group_key: message.group,
    ...(message.headers === undefined ? {} : { headers: message.headers }),
  };
}

export function serverInfoOf(fields: WireFields): ServerInfo {
  return {
    host: text(fields['host']),
    pid: number(fields['pid']),
    serverId: text(fields['server_id']),
    concurrency: number(fields['concurrency']),
    queues: (fields['queues'] ?? {}) as Record<string, number>,
    strictPriority: fields['strict_priority'] === true,
    status: fields['status'] as ServerStatus,
    startedAt: instant(fields['start_time']),
    activeWorkerCount: number(fields['active_worker_count']),
  };
}

export function workerInfoOf(fields: WireFields): WorkerInfo {
  return {
    host: text(fields['host']),
    pid: number(fields['pid']),
    serverId: text(fields['server_id']),
    taskId: text(fields['task_id']),
    taskType: text(fields['task_type']),
    taskPayload: bytes(fields['task_payload']),
    queue: text(fields['queue']),
    startedAt: instant(fields['start_time']),
    deadline: instant(fields['deadline']),
  };
}

export function scheduleEntryOf(fields: WireFields): PublishedSchedule {
  return {
    id: text(fields['id']),
    spec: text(fields['spec']),
    taskType: text(fields['task_type']),
    taskPayload: bytes(fields['task_payload']),
    options: (fields['enqueue_options'] ?? []) as string[],
    nextEnqueueAt: instantOrNever(fields['next_enqueue_time']),
    previousEnqueueAt: instantOrNever(fields['prev_enqueue_time']),
  };
}

export function scheduleEventOf(fields: WireFields): ScheduleEvent {
  return { taskId: text(fields['task_id']), enqueuedAt: instant(fields['enqueue_time']) };
}

function text(field: unknown): string {
  return (field ?? '') as string;
}

function bytes(field: unknown): Buffer {
  return Buffer.from(text(field), 'base64');
}

function number(field: unknown): number {
  return Number(field ?? 0);
}

function instant(field: unknown): EpochMs {
  return epochMs(Date.parse(field as string));
}

/** Go's zero time stands for "never". */
function instantOrNever(field: unknown): EpochMs | undefined {
  return field === '0001-01-01T00:00:00Z' ? undefined : instant(field);
}
