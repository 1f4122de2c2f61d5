import type { EpochMs } from '../model/time/duration.js';
import { utcDay } from '../model/time/utc-day.js';

/**
 * Every Redis key that the library uses; no other file spells a key (P-18). Keys with `x:` are additions that Go never
 * reads.
 */
export const globalKeys = {
  /** set: queue names */
  queues: 'asynq:queues',
  /** zset: server key -> expiry, epoch seconds */
  servers: 'asynq:servers',
  /** zset: workers key -> expiry, epoch seconds */
  workers: 'asynq:workers',
  /** zset: key of a scheduler's schedules -> expiry, epoch seconds */
  schedulers: 'asynq:schedulers',
  /** channel: task id */
  cancelChannel: 'asynq:cancel',
  /** channel: JSON of a cancellation with its outcome */
  cancelRequestChannel: 'asynq:x:cancel',
  /** channel: name of a queue that was empty and got a task */
  wakeChannel: 'asynq:x:wake',
  /** channel: `<epoch ms> <queue>` of a task that became the next due task of its queue */
  dueChannel: 'asynq:x:due',
  /** channel: JSON of the queues that a server maintains */
  maintenanceChannel: 'asynq:x:maintenance',
} as const;

/** Keys of one queue; all share the queue's hash slot. */
export interface QueueKeys {
  readonly queue: string;
  /** Prefix of a task's hash; the id follows. */
  readonly taskPrefix: string;
  /** list: task ids, newest left, next to run right */
  readonly pending: string;
  /** list: ids of running tasks */
  readonly active: string;
  /** zset: id -> lease expiry, epoch seconds */
  readonly lease: string;
  /** zset: id -> due time, epoch seconds */
  readonly scheduled: string;
  /** zset: id -> due time, epoch seconds */
  readonly retry: string;
  /** zset: id -> time of archiving, epoch seconds */
  readonly archived: string;
  /** zset: id -> end of retention, epoch seconds */
  readonly completed: string;
  /** set: names of groups with waiting tasks */
  readonly groups: string;
  /** Prefix of a group's zset (id -> time added, epoch seconds); the group's name follows. */
  readonly groupPrefix: string;
  /** zset: full key of an aggregation set -> its deadline, epoch seconds */
  readonly aggregationSets: string;
  /** Prefix of a unique lock (string: id of the task that holds it); type and digest follow. */
  readonly lockPrefix: string;
  /** string: pause time, epoch seconds; only its existence matters */
  readonly paused: string;
  /** string: counter */
  readonly processed: string;
  /** string: counter */
  readonly failed: string;
  /** zset, ours: id -> exact due time, epoch milliseconds, of scheduled and retry tasks due between two seconds */
  readonly due: string;
  /** string, ours: until when a server maintains the queue, epoch milliseconds, and which, `host:pid:server-id` */
  readonly maintenance: string;
}

const cache = new Map<string, QueueKeys>();

/** Returns the keys of a queue. */
export function queueKeys(queue: string): QueueKeys {
  const known = cache.get(queue);
  if (known !== undefined) return known;
  const prefix = `asynq:{${queue}}:`;
  const keys: QueueKeys = {
    queue,
    taskPrefix: `${prefix}t:`,
    pending: `${prefix}pending`,
    active: `${prefix}active`,
    lease: `${prefix}lease`,
    scheduled: `${prefix}scheduled`,
    retry: `${prefix}retry`,
    archived: `${prefix}archived`,
    completed: `${prefix}completed`,
    groups: `${prefix}groups`,
    groupPrefix: `${prefix}g:`,
    aggregationSets: `${prefix}aggregation_sets`,
    lockPrefix: `${prefix}unique:`,
    paused: `${prefix}paused`,
    processed: `${prefix}processed`,
    failed: `${prefix}failed`,
    due: `${prefix}x:due`,
    maintenance: `${prefix}x:maintenance`,
  };
  // A program that generates endless queue names must not fill memory with their keys.
  if (cache.size >= 1_000) cache.clear();
  cache.set(queue, keys);
  return keys;
}

/** Returns the key of a task's hash. */
export function taskKey(keys: QueueKeys, taskId: string): string {
  return keys.taskPrefix + taskId;
}

/**
 * Returns a task's unique lock as passed to scripts of its queue: empty if there is none, or if its name, which came
 * from another process, belongs to another hash slot.
 */
export function lockKey(keys: QueueKeys, uniqueKey: string): string {
  return uniqueKey === '' || hashTag(uniqueKey) === hashTag(keys.taskPrefix) ? uniqueKey : '';
}

/** Returns the part of a key that determines its slot in a cluster. */
function hashTag(key: string): string {
  const open = key.indexOf('{');
  const close = open < 0 ? -1 : key.indexOf('}', open + 1);
  return close > open + 1 ? key.slice(open + 1, close) : key;
}

/** Returns the key of a group's zset. */
export function groupKey(keys: QueueKeys, group: string): string {
  return keys.groupPrefix + group;
}

/** Returns the key of an aggregation set's zset. */
export function aggregationSetKey(keys: QueueKeys, group: string, setId: string): string {
  return `${keys.groupPrefix}${group}:${setId}`;
}

/** Returns the counter of one UTC day, `processed` or `failed`. */
export function dayKey(counter: string, instant: EpochMs): string {
  return `${counter}:${utcDay(instant)}`;
}

/** Returns the key of a server's info; `serverId` is `host:pid:id`. */
export function serverKey(serverId: string): string {
  return `asynq:servers:{${serverId}}`;
}

/** Returns the key of a server's running tasks; `serverId` is `host:pid:id`. */
export function workersKey(serverId: string): string {
  return `asynq:workers:{${serverId}}`;
}

/** list: the schedules of a scheduler; `schedulerId` is `host:pid:id`. */
export function schedulerKey(schedulerId: string): string {
  return `asynq:schedulers:{${schedulerId}}`;
}

/** zset: what a schedule has enqueued -> when, epoch seconds. */
export function scheduleHistoryKey(scheduleId: string): string {
  return `asynq:scheduler_history:${scheduleId}`;
}

/** hash, ours: which ticks of a schedule are used; stored with the queue of its tasks. */
export function ticksKey(queue: string, schedule: string): string {
  return `asynq:{${queue}}:x:cron:${schedule}`;
}

/** Returns the queue that a key belongs to, if any. */
export function queueOfKey(key: string): string | undefined {
  return /^asynq:\{(.*?)\}:/s.exec(key)?.[1];
}
