import type { CancelOutcome } from '../../lib/model/broker/presence.contract.js';
import type { ServerInfo, WorkerInfo } from '../../lib/model/broker/presence.js';
import type { PublishedSchedule, ScheduleEvent } from '../../lib/model/cron/published-schedule.js';
import type { EpochMs, Ms } from '../../lib/model/time/duration.js';

/** A list or set of tasks. `g:<group>` is a group, `g:<group>:<set id>` an aggregation set. */
export type Place = 'pending' | 'active' | 'lease' | 'scheduled' | 'retry' | 'archived' | 'completed' | `g:${string}`;

/** What is stored of a task. */
export interface StoredTask {
  readonly state: string;
  /** The record as it is stored. */
  readonly bytes: Uint8Array;
  readonly pendingSince: EpochMs | undefined;
  /** The group it goes to when it is due, or waits in. */
  readonly group: string | undefined;
  /** The unique lock named beside the record. */
  readonly lock: string | undefined;
  /** Who runs it. */
  readonly owner: string | undefined;
  /** What a cancellation asked for while it ran. */
  readonly canceled: CancelOutcome | undefined;
  readonly result: Uint8Array | undefined;
  /** Of a record that did not decode: why, and its bytes. */
  readonly undecodable: { readonly reason: string; readonly bytes: Uint8Array } | undefined;
}

export interface Counters {
  readonly processed: number;
  readonly failed: number;
  readonly processedToday: number;
  readonly failedToday: number;
}

/** A published server, what it runs, and how long that is shown unless it is published again. */
export interface PublishedServer {
  readonly server: ServerInfo;
  readonly workers: readonly WorkerInfo[];
  readonly ttl: Ms;
}

/** Looks at one queue behind the contracts, and changes what no contract changes. */
export interface QueueProbe {
  /** Whether other processes see that there is such a queue. */
  isKnown(): Promise<boolean>;
  /** Takes the queue out of those that others see. */
  forgetQueue(): Promise<void>;
  /** The ids of all stored tasks, sorted. */
  taskIds(): Promise<readonly string[]>;
  task(id: string): Promise<StoredTask | undefined>;
  /** Every list and set that holds an id, in the order of {@link Place}; twice when it is there twice. */
  placesOf(id: string): Promise<readonly Place[]>;
  /** The ids in a place: in `pending` the next to run first, in `active` the latest taken last, else by score. */
  idsIn(place: Place): Promise<readonly string[]>;
  /** What a set holds an id under, Unix seconds as other processes read it. */
  secondOf(place: Place, id: string): Promise<number | undefined>;
  /** The exact instant at which a scheduled or retried task is due. */
  dueAt(id: string): Promise<EpochMs | undefined>;
  /** The deadline of each aggregation set, Unix seconds, by its place. */
  aggregationSets(): Promise<ReadonlyMap<Place, number>>;
  counters(today: EpochMs): Promise<Counters>;
  /** Who holds a unique lock, and for how long. */
  lock(key: string): Promise<{ readonly holder: string; readonly ttl: Ms } | undefined>;

  /** Replaces the record of a task. */
  replaceRecord(id: string, bytes: Uint8Array): Promise<void>;
  /** Removes what is stored of a task, and leaves its id where it is. */
  loseTask(id: string): Promise<void>;
  /** Puts an id into a place, whatever is stored of it; in `pending` and `active` behind all others. */
  putIn(place: Place, ids: readonly string[], seconds: number): Promise<void>;
  takeOut(place: Place, id: string): Promise<void>;
  setLock(key: string, lock: { readonly holder: string; readonly ttl: Ms }): Promise<void>;
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Sends a bare cancellation behind every signal that the queue has sent. */
  signalCancel(taskId: string): Promise<void>;

  /** Removes everything of the queue. */
  clean(): Promise<void>;
}

/** Looks at what belongs to no queue. */
export interface FleetProbe {
  /** What a server (`host:pid:server-id`) has published. */
  server(serverId: string): Promise<PublishedServer | undefined>;
  /** The entries that a scheduler (`host:pid:scheduler-id`) has published; `undefined` when it has none. */
  entries(
    schedulerId: string,
  ): Promise<{ readonly entries: readonly PublishedSchedule[]; readonly ttl: Ms } | undefined>;
  /** What an entry has enqueued, oldest first; `undefined` when there is no history. */
  history(scheduleId: string): Promise<{ readonly events: readonly ScheduleEvent[]; readonly ttl: Ms } | undefined>;
  /** Removes the history of an entry. */
  clearHistory(scheduleId: string): Promise<void>;
}
