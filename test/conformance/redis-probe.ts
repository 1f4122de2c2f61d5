import type { Redis } from 'ioredis';
import { decodeServerInfo, decodeWorkerInfo } from '../../lib/model/broker/presence.codec.js';
import type { CancelOutcome } from '../../lib/model/broker/presence.contract.js';
import { decodePublishedSchedule, decodeScheduleEvent } from '../../lib/model/cron/published-schedule.codec.js';
import { epochMs, ms } from '../../lib/model/time/duration.js';
import type { Decoded } from '../../lib/model/wire/proto-reader.js';
import {
  dayKey,
  globalKeys,
  type QueueKeys,
  queueKeys,
  scheduleHistoryKey,
  schedulerKey,
  serverKey,
  taskKey,
  workersKey,
} from '../../lib/redis/keys.js';
import type { FleetProbe, Place, QueueProbe } from './storage-probe.js';

/** The plain client of the server that holds a key. */
export type ClientOf = (key: string) => Promise<Redis>;

const lists = ['pending', 'active'] as const;
const sets = ['lease', 'scheduled', 'retry', 'archived', 'completed'] as const;

/** Reads and writes the keys of one queue as any other process does. */
export async function redisQueueProbe(queue: string, clientOf: ClientOf): Promise<QueueProbe> {
  const keys = queueKeys(queue);
  const redis = await clientOf(keys.pending);
  const registry = await clientOf(globalKeys.queues);
  const prefix = keys.taskPrefix.slice(0, -2);
  const { taskPrefix, groupPrefix } = keys;

  const keysLike = async (start: string): Promise<string[]> =>
    await redis.keys(`${start.replace(/[\\*?[\]^-]/g, '\\$&')}*`);
  const count = async (key: string): Promise<number> => Number((await redis.get(key)) ?? 0);

  return {
    isKnown: async () => (await registry.sismember(globalKeys.queues, queue)) === 1,
    forgetQueue: async () => void (await registry.srem(globalKeys.queues, queue)),
    taskIds: async () => (await keysLike(taskPrefix)).map((key) => key.slice(taskPrefix.length)).toSorted(),

    task: async (id) => {
      const hash = await redis.hgetallBuffer(taskKey(keys, id));
      const text = (field: string): string | undefined => hash[field]?.toString();
      const bytes = hash['msg'];
      if (bytes === undefined) return undefined;
      const since = text('pending_since');
      const reason = text('x:error');
      return {
        state: text('state') ?? '',
        bytes,
        pendingSince: since === undefined ? undefined : epochMs(Number(since.slice(0, -6))),
        group: text('group'),
        lock: text('unique_key'),
        owner: text('x:o')?.replace(/^\d+ /, ''),
        canceled: text('x:cancel') as CancelOutcome | undefined,
        result: hash['result'],
        undecodable: reason === undefined ? undefined : { reason, bytes: hash['x:msg'] ?? Buffer.alloc(0) },
      };
    },

    placesOf: async (id) => {
      const found: Place[] = [];
      for (const list of lists) {
        for (const member of await redis.lrange(keys[list], 0, -1)) if (member === id) found.push(list);
      }
      for (const set of sets) if ((await redis.zscore(keys[set], id)) !== null) found.push(set);
      for (const key of (await keysLike(groupPrefix)).toSorted()) {
        if ((await redis.zscore(key, id)) !== null) found.push(`g:${key.slice(groupPrefix.length)}`);
      }
      return found;
    },

    idsIn: async (place) => {
      if (place !== 'pending' && place !== 'active') return await redis.zrange(keyOf(keys, place), 0, '-1');
      return (await redis.lrange(keys[place], 0, -1)).toReversed();
    },
    secondOf: async (place, id) => asNumber(await redis.zscore(keyOf(keys, place), id)),
    dueAt: async (id) => {
      const exact = asNumber(await redis.zscore(keys.due, id));
      if (exact !== undefined) return epochMs(exact);
      const second = asNumber((await redis.zscore(keys.scheduled, id)) ?? (await redis.zscore(keys.retry, id)));
      return second === undefined ? undefined : epochMs(second * 1_000);
    },
    aggregationSets: async () => {
      const members = await redis.zrange(keys.aggregationSets, 0, '-1', 'WITHSCORES');
      const found = new Map<Place, number>();
      for (let at = 0; at < members.length; at += 2) {
        found.set(`g:${(members[at] ?? '').slice(groupPrefix.length)}`, Number(members[at + 1]));
      }
      return found;
    },
    counters: async (today) => ({
      processed: await count(keys.processed),
      failed: await count(keys.failed),
      processedToday: await count(dayKey(keys.processed, today)),
      failedToday: await count(dayKey(keys.failed, today)),
    }),
    lock: async (key) => {
      const holder = await redis.get(key);
      return holder === null
        ? undefined
        : { holder: holder.replace(/^aggregated:/, ''), ttl: ms(await redis.pttl(key)) };
    },

    replaceRecord: async (id, bytes) => void (await redis.hset(taskKey(keys, id), 'msg', Buffer.from(bytes))),
    loseTask: async (id) => void (await redis.del(taskKey(keys, id))),
    putIn: async (place, ids, seconds) => {
      if (place === 'pending' || place === 'active') await redis.lpush(keys[place], ...ids);
      else await redis.zadd(keyOf(keys, place), ...ids.flatMap((id) => [seconds, id]));
    },
    takeOut: async (place, id) => {
      if (place === 'pending' || place === 'active') await redis.lrem(keys[place], 0, id);
      else await redis.zrem(keyOf(keys, place), id);
    },
    setLock: async (key, { holder, ttl }) => void (await redis.set(key, holder, 'PX', ttl)),
    pause: async () => void (await redis.set(keys.paused, '1')),
    resume: async () => void (await redis.del(keys.paused)),
    signalCancel: async (taskId) => void (await redis.publish(globalKeys.cancelChannel, taskId)),

    clean: async () => {
      const left = await keysLike(prefix);
      for (let start = 0; start < left.length; start += 5_000) await redis.unlink(...left.slice(start, start + 5_000));
      await registry.srem(globalKeys.queues, queue);
    },
  };
}

/** Reads what servers and schedulers publish. */
export function redisFleetProbe(clientOf: ClientOf): FleetProbe {
  return {
    server: async (serverId) => {
      const key = serverKey(serverId);
      const redis = await clientOf(key);
      const record = await redis.getBuffer(key);
      if (record === null) return undefined;
      const workers = Object.values(await redis.hgetallBuffer(workersKey(serverId)));
      return {
        server: valueOf(decodeServerInfo(record)),
        workers: workers.map((bytes) => valueOf(decodeWorkerInfo(bytes))),
        ttl: ms(await redis.pttl(key)),
      };
    },
    entries: async (schedulerId) => {
      const key = schedulerKey(schedulerId);
      const redis = await clientOf(key);
      const records = await redis.lrangeBuffer(key, 0, -1);
      if (records.length === 0) return undefined;
      return {
        entries: records.map((bytes) => valueOf(decodePublishedSchedule(bytes))),
        ttl: ms(await redis.pttl(key)),
      };
    },
    history: async (scheduleId) => {
      const key = scheduleHistoryKey(scheduleId);
      const redis = await clientOf(key);
      const records = await redis.zrangeBuffer(key, 0, '-1');
      if (records.length === 0) return undefined;
      return { events: records.map((bytes) => valueOf(decodeScheduleEvent(bytes))), ttl: ms(await redis.pttl(key)) };
    },
    clearHistory: async (scheduleId) => {
      const key = scheduleHistoryKey(scheduleId);
      await (await clientOf(key)).del(key);
    },
  };
}

function valueOf<T>(decoded: Decoded<T>): T {
  if (!decoded.ok) throw new Error(decoded.reason);
  return decoded.value;
}

function keyOf(keys: QueueKeys, place: Place): string {
  return place.startsWith('g:') ? keys.groupPrefix + place.slice(2) : keys[place as Exclude<Place, `g:${string}`>];
}

function asNumber(score: string | null): number | undefined {
  return score === null ? undefined : Number(score);
}
