import type {
  Disorder,
  DisorderKind,
  ReconcileRequest,
  ReconcileResult,
} from '../model/broker/maintenance.contract.js';
import { decodeTaskMessage } from '../model/task/task-message.codec.js';
import type { RedisConnection } from './connection/redis-connection.js';
import type { KeyReader } from './key-reader.js';
import { groupKey, type QueueKeys, queueKeys } from './keys.js';
import { formatCursor, parseCursor, type ReconcileCursor } from './reconcile-cursor.js';
import type { RedisHeal } from './redis-heal.js';
import type { RedisLocks } from './redis-locks.js';
import { bytesReply, listReply, numberReply, textReply } from './connection/reply.js';
import { scanSet } from './scan-set.js';
import type { ScriptRunner } from './script-runner.js';
import { defineScript } from './script.js';

/** Checks whether ids belong where they are. */
export const checkPlaceScript = defineScript({
  file: 'check-place.lua',
  keys: ['place', 'partner'],
  args: ['kind', 'state', 'taskPrefix', 'first', 'limit'],
  replies: ['ID_WITHOUT_TASK', 'ACTIVE_WITHOUT_LEASE', 'LEASE_WITHOUT_ACTIVE', 'TASK_IN_WRONG_PLACE'],
});

/** Checks whether tasks are where they say they are. */
export const checkTasksScript = defineScript({
  file: 'check-tasks.lua',
  keys: ['pending', 'active', 'lease', 'scheduled', 'retry', 'archived', 'completed', 'aggregationSets'],
  args: ['taskPrefix', 'groupPrefix', '...taskIds'],
  replies: ['TASK_WITHOUT_MESSAGE', 'TASK_WITHOUT_PLACE'],
});

/** Checks whether groups and aggregation sets are listed for aggregators. */
export const checkGroupsScript = defineScript({
  file: 'check-groups.lua',
  keys: ['groups', 'aggregationSets'],
  args: ['groupPrefix', '...names'],
  replies: [],
});

/** How many ids one script call checks: a few milliseconds of the server's time at most. */
const pageSize = 500;
/** The limits of one step: ids to check, and script calls for lists and sets that are nearly empty. */
const stepIds = 500;
const stepCalls = 40;
/** How many keys one `SCAN` visits, and how many scans one step may make if few keys are ours. */
const scanCount = 500;
const stepScans = 4;

/** What one step found. */
interface Step {
  readonly next: ReconcileCursor | undefined;
  readonly suspicions: readonly Disorder[];
  /** Inconsistent for certain, and healed at once. */
  readonly healed: readonly Disorder[];
}

/** A list or set with ids of tasks. */
interface Place {
  readonly key: string;
  readonly partner: string;
  readonly kind: 'active' | 'lease' | 'list' | 'zset';
  readonly state: string;
  /** Whether it was empty when the queue was begun. */
  readonly isEmpty: boolean;
}

/**
 * Compares where tasks are with what they say, in both directions. It only finds faults; {@link RedisHeal} heals them.
 * Locks of tasks that are gone need no second check.
 *
 * It deliberately does not find a task that was lost from a pending list of more than 5,000 ids, as long as one that
 * became pending earlier has yet to run, nor ids that do not belong in such a list (dequeueing drops them).
 */
export class RedisReconcile {
  constructor(
    private readonly deps: {
      readonly connection: RedisConnection;
      readonly runner: ScriptRunner;
      readonly reader: KeyReader;
      readonly heal: RedisHeal;
      readonly locks: RedisLocks;
    },
  ) {}

  /** Heals what was confirmed, then checks a bounded step further. */
  async reconcile(request: ReconcileRequest): Promise<ReconcileResult> {
    const { healed, postponed } = await this.deps.heal.heal(request.confirmed, request.now);
    const step = await this.#step(request.queues, parseCursor(request.cursor));
    return {
      cursor: step.next && formatCursor(step.next),
      suspicions: [...postponed, ...step.suspicions],
      healed: [...healed, ...step.healed],
    };
  }

  async #step(queues: readonly string[], cursor: ReconcileCursor): Promise<Step> {
    return cursor.phase === 'places'
      ? await this.#lookAtPlaces(queues, cursor)
      : await this.#lookAtTasks(queues, cursor);
  }

  async #lookAtPlaces(queues: readonly string[], cursor: Extract<ReconcileCursor, { phase: 'places' }>): Promise<Step> {
    const suspicions: Disorder[] = [];
    let { queue: queueIndex, place: placeIndex, first } = cursor;
    let places: readonly Place[] | undefined;
    let seen = 0;
    for (let calls = 0; calls < stepCalls && seen < stepIds;) {
      const queue = queues[queueIndex];
      if (queue === undefined) return { next: { phase: 'tasks', node: 0, scan: '0' }, suspicions, healed: [] };
      places ??= await this.#placesOf(queueKeys(queue), { isFirst: placeIndex === 0 && first === 0 });
      const place = places[placeIndex];
      if (place === undefined) {
        [queueIndex, placeIndex, first, places] = [queueIndex + 1, 0, 0, undefined];
        continue;
      }
      if (place.isEmpty) {
        placeIndex++;
        continue;
      }
      const page = await this.#lookAtPlace(queue, { ...place, first });
      suspicions.push(...page.suspicions);
      seen += page.seen;
      calls++;
      if (page.seen < pageSize) [placeIndex, first] = [placeIndex + 1, 0];
      else first += pageSize;
    }
    return { next: { phase: 'places', queue: queueIndex, place: placeIndex, first }, suspicions, healed: [] };
  }

  async #placesOf(keys: QueueKeys, { isFirst }: { readonly isFirst: boolean }): Promise<readonly Place[]> {
    const place = (key: string, state: string, as: Partial<Place> = {}): Place => {
      return { key, partner: key, kind: 'zset', state, isEmpty: false, ...as };
    };
    const places = [
      place(keys.active, 'active', { partner: keys.lease, kind: 'active' }),
      place(keys.lease, 'active', { partner: keys.active, kind: 'lease' }),
      place(keys.pending, 'pending', { kind: 'list' }),
      place(keys.scheduled, 'scheduled'),
      place(keys.retry, 'retry'),
      place(keys.archived, 'archived'),
      place(keys.completed, 'completed'),
    ];
    if (!isFirst) return [...places, ...(await this.#groupsOf(keys, place))];
    // Most queues are idle, which one command tells; one more per place tells which places are empty.
    const { reader } = this.deps;
    if ((await reader.countExisting([...places.map(({ key }) => key), keys.groups])) === 0) return [];
    const isThere = await Promise.all(places.map(async ({ key }) => (await reader.countExisting([key])) > 0));
    const known = places.map((one, at) => ({ ...one, isEmpty: isThere[at] !== true }));
    return [...known, ...(await this.#groupsOf(keys, place))];
  }

  async #groupsOf(keys: QueueKeys, place: (key: string, state: string) => Place): Promise<readonly Place[]> {
    const groups = await scanSet(this.deps, keys.groups);
    // Sorted, because the server promises no order, and the cursor is a position.
    return groups.toSorted().map((group) => place(groupKey(keys, group), 'aggregating'));
  }

  async #lookAtPlace(
    queue: string,
    place: Place & { readonly first: number },
  ): Promise<{ readonly seen: number; readonly suspicions: readonly Disorder[] }> {
    const [seen, ...words] = listReply(
      await this.deps.runner.run(
        checkPlaceScript,
        [place.key, place.partner],
        [place.kind, place.state, queueKeys(queue).taskPrefix, place.first, pageSize],
      ),
    );
    const suspicions: Disorder[] = [];
    for (let at = 0; at < words.length; at += 2) {
      suspicions.push({ queue, kind: kindOf(textReply(words[at])), subject: textReply(words[at + 1]) });
    }
    return { seen: numberReply(seen), suspicions };
  }

  async #lookAtTasks(queues: readonly string[], cursor: Extract<ReconcileCursor, { phase: 'tasks' }>): Promise<Step> {
    // A server may return a key twice.
    const found = new Set<string>();
    let { node, scan } = cursor;
    let isComplete = false;
    for (let scans = 0; scans < stepScans && found.size < pageSize && !isComplete; scans++) {
      const reply = await this.deps.connection.sendToNode(node, 'scan', [
        scan,
        'MATCH',
        'asynq:{*}:[tgu]*:*',
        'COUNT',
        scanCount,
      ]);
      if (reply === undefined) {
        isComplete = true;
      } else {
        const [next, keys] = listReply(reply);
        for (const key of listReply(keys)) found.add(textReply(key));
        scan = textReply(next);
        if (scan === '0') node++;
      }
    }
    const suspicions = await Promise.all(
      queues.flatMap((queue) => {
        const { taskPrefix, groupPrefix } = queueKeys(queue);
        return [
          this.#lookAtTasksOf(queue, namesBehind(taskPrefix, [...found])),
          this.#lookAtGroupsOf(queue, namesBehind(groupPrefix, [...found])),
        ];
      }),
    );
    const healed = await Promise.all(
      queues.map((queue) => this.deps.locks.free(queue, namesBehind(queueKeys(queue).lockPrefix, [...found]))),
    );
    return {
      next: isComplete ? undefined : { phase: 'tasks', node, scan },
      suspicions: suspicions.flat(),
      healed: healed.flat(),
    };
  }

  async #lookAtTasksOf(queue: string, taskIds: readonly string[]): Promise<readonly Disorder[]> {
    const keys = queueKeys(queue);
    const suspicions: Disorder[] = [];
    for (let start = 0; start < taskIds.length; start += pageSize) {
      const reply = listReply(
        await this.deps.runner.run(
          checkTasksScript,
          [
            keys.pending,
            keys.active,
            keys.lease,
            keys.scheduled,
            keys.retry,
            keys.archived,
            keys.completed,
            keys.aggregationSets,
          ],
          [keys.taskPrefix, keys.groupPrefix, ...taskIds.slice(start, start + pageSize)],
        ),
      );
      for (let at = 0; at < reply.length; at += 3) {
        const suspicion = { queue, kind: kindOf(textReply(reply[at])), subject: textReply(reply[at + 1]) };
        if (isOfQueue(suspicion, bytesReply(reply[at + 2]))) suspicions.push(suspicion);
      }
    }
    return suspicions;
  }

  async #lookAtGroupsOf(queue: string, names: readonly string[]): Promise<readonly Disorder[]> {
    const keys = queueKeys(queue);
    const suspicions: Disorder[] = [];
    // A group of queue `a` may have the same key as a group of queue `a}:g:b{`: nothing in it tells which queue it belongs to.
    const ownNames = names.filter((name) => !name.includes('}:g:'));
    for (let start = 0; start < ownNames.length; start += pageSize) {
      const unknown = await this.deps.runner.run(
        checkGroupsScript,
        [keys.groups, keys.aggregationSets],
        [keys.groupPrefix, ...ownNames.slice(start, start + pageSize)],
      );
      for (const name of listReply(unknown)) {
        suspicions.push({ queue, kind: 'group-not-listed', subject: textReply(name) });
      }
    }
    return suspicions;
  }
}

/** Returns what follows a prefix in the keys that have it. */
function namesBehind(prefix: string, keys: readonly string[]): readonly string[] {
  return keys.filter((key) => key.startsWith(prefix)).map((key) => key.slice(prefix.length));
}

/**
 * Returns whether a lost task belongs to this queue. The key alone does not tell: `asynq:{a}:t:b{}:t:c` is the task `b{}:t:c` of
 * queue `a` and the task `c` of queue `a}:t:b{`.
 */
function isOfQueue({ queue, kind, subject }: Disorder, bytes: Uint8Array): boolean {
  if (kind !== 'task-without-place') return true;
  const decoded = decodeTaskMessage(bytes);
  if (!decoded.ok) return !subject.includes('}:t:');
  return decoded.message.id === subject && decoded.message.queue === queue;
}

/** Converts a script's word into the kind of a fault. */
function kindOf(word: string): DisorderKind {
  return word.toLowerCase().replaceAll('_', '-') as DisorderKind;
}
