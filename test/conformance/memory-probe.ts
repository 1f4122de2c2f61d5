import type { IdList } from '../../lib/memory/id-list.js';
import type { MemoryStore } from '../../lib/memory/memory-state.js';
import type { Expiring } from '../../lib/memory/expiring-map.js';
import type { Clock } from '../../lib/model/time/clock.js';
import { addMs, elapsed, epochMs, type Ms } from '../../lib/model/time/duration.js';
import type { FleetProbe, Place, QueueProbe } from './storage-probe.js';

const lists = ['pending', 'active'] as const;
const sets = ['lease', 'scheduled', 'retry', 'archived', 'completed'] as const;

/** Reads and writes one queue of a store. */
export function memoryQueueProbe(name: string, store: MemoryStore, clock: Clock): QueueProbe {
  const queue = store.queue(name);
  const idsIn = (place: Place): readonly string[] => {
    if (place === 'pending' || place === 'active') return [...queue[place]];
    return [...(setOf(place) ?? [])].map(({ id }) => id);
  };
  const setOf = (place: Exclude<Place, 'pending' | 'active'>) =>
    isGroup(place) ? queue.members.get(place.slice(2)) : queue[place];

  return {
    isKnown: async () => await Promise.resolve(store.knownQueues.has(name)),
    forgetQueue: async () => void (await Promise.resolve(store.knownQueues.delete(name))),
    taskIds: async () => await Promise.resolve([...queue.tasks.keys()].toSorted()),
    task: async (id) => {
      const task = queue.tasks.get(id);
      if (task === undefined) return await Promise.resolve(undefined);
      const { record, owner, state, pendingSince, group, lock, canceled, result, undecodable } = task;
      const rest = { state, pendingSince, group, lock, canceled, result, undecodable };
      return { bytes: Buffer.from(record), owner: owner?.name, ...rest };
    },

    placesOf: async (id) => {
      const found: Place[] = [];
      for (const list of lists) found.push(...idsIn(list).flatMap((one) => (one === id ? [list] : [])));
      found.push(...sets.filter((set) => queue[set].has(id)));
      const groups = [...queue.members].filter(([, members]) => members.has(id)).map(([group]) => group);
      found.push(...groups.toSorted().map((group) => `g:${group}` as const));
      return await Promise.resolve(found);
    },
    idsIn: async (place) => await Promise.resolve(idsIn(place)),
    secondOf: async (place, id) => {
      const score = place === 'pending' || place === 'active' ? undefined : setOf(place)?.scoreOf(id);
      const isDue = place === 'scheduled' || place === 'retry';
      return await Promise.resolve(score !== undefined && isDue ? Math.ceil(score / 1_000) : score);
    },
    dueAt: async (id) => {
      const dueAt = queue.scheduled.scoreOf(id) ?? queue.retry.scoreOf(id);
      return await Promise.resolve(dueAt === undefined ? undefined : epochMs(dueAt));
    },
    aggregationSets: async () =>
      await Promise.resolve(
        new Map([...queue.aggregationSets].map(([set, deadline]) => [`g:${set}` as const, deadline])),
      ),
    counters: async (today) => {
      const day = queue.days.get(new Date(today).toISOString().slice(0, 10));
      const { processed, failed } = queue.counters;
      return await Promise.resolve({
        processed,
        failed,
        processedToday: day?.processed ?? 0,
        failedToday: day?.failed ?? 0,
      });
    },
    lock: async (key) => {
      const lock = store.locks.get(key, clock.now());
      return await Promise.resolve(lock && { holder: lock.value.taskId, ttl: ttlOf(lock, clock) });
    },

    replaceRecord: async (id, bytes) => {
      const task = queue.tasks.get(id);
      if (task !== undefined) task.record = bytes;
      await Promise.resolve();
    },
    loseTask: async (id) => await Promise.resolve(queue.forget(id)),
    putIn: async (place, ids, seconds) => {
      for (const id of ids) {
        if (place === 'pending' || place === 'active') queue[place].addLast(id);
        else if (isGroup(place)) queue.join(place.slice(2), id, seconds);
        else queue[place].add(id, place === 'scheduled' || place === 'retry' ? seconds * 1_000 : seconds);
      }
      await Promise.resolve();
    },
    takeOut: async (place, id) => {
      if (place === 'pending' || place === 'active') takeAll(queue[place], id);
      else if (isGroup(place)) queue.leave(place.slice(2), id);
      else queue[place].delete(id);
      await Promise.resolve();
    },
    setLock: async (key, { holder, ttl }) =>
      await Promise.resolve(
        store.locks.set(key, {
          value: { taskId: holder, isAggregated: false },
          expiresAt: addMs(clock.now(), ttl),
        }),
      ),
    pause: async () => {
      queue.isPaused = true;
      await Promise.resolve();
    },
    resume: async () => {
      queue.isPaused = false;
      await Promise.resolve();
    },
    signalCancel: async (taskId) => await Promise.resolve(store.signals.cancel(taskId, undefined)),
    clean: async () => {
      store.queues.delete(name);
      store.knownQueues.delete(name);
      await Promise.resolve();
    },
  };
}

/** Reads what servers and schedulers publish. */
export function memoryFleetProbe(store: MemoryStore, clock: Clock): FleetProbe {
  return {
    server: async (serverId) => {
      const found = store.servers.get(serverId, clock.now());
      return await Promise.resolve(found && { ...found.value, ttl: ttlOf(found, clock) });
    },
    entries: async (schedulerId) => {
      const found = store.schedulers.get(schedulerId, clock.now());
      return await Promise.resolve(found && { entries: found.value, ttl: ttlOf(found, clock) });
    },
    history: async (scheduleId) => {
      const found = store.histories.get(scheduleId, clock.now());
      return await Promise.resolve(found && { events: found.value, ttl: ttlOf(found, clock) });
    },
    clearHistory: async (scheduleId) => await Promise.resolve(store.histories.delete(scheduleId)),
  };
}

function isGroup(place: Place): place is `g:${string}` {
  return place.startsWith('g:');
}

function takeAll(list: IdList, id: string): void {
  while (list.delete(id));
}

function ttlOf({ expiresAt }: Expiring<unknown>, clock: Clock): Ms {
  return elapsed(clock.now(), expiresAt);
}
