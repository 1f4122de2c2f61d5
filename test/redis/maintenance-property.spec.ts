import * as fc from 'fast-check';
import type { Disorder } from '../../lib/model/broker/maintenance.contract.js';
import type { TaskMessage } from '../../lib/model/task/task-message.js';
import { addMs, ms } from '../../lib/model/time/duration.js';
import { anyMove, type Move, QueuePlay } from '../conformance/queue-play.js';
import { noon, SeededQueue } from './seeded-queue.js';

/** Where each state's tasks are; of aggregating ones only the beginning. */
const placeOfState: Readonly<Record<string, string>> = { active: 'active,lease', aggregating: 'g:g' };

/** What is wrong with a queue, read as any other process reads it: every task in one place, every running one leased. */
async function disorderOf(tasks: SeededQueue): Promise<readonly string[]> {
  const { keys, redis } = tasks;
  const places = new Map<string, string[]>();
  const note = (place: string, ids: readonly string[]): void => {
    for (const id of ids) places.set(id, [...(places.get(id) ?? []), place]);
  };
  note('pending', await redis.lrange(keys.pending, 0, -1));
  note('active', await redis.lrange(keys.active, 0, -1));
  for (const set of ['lease', 'scheduled', 'retry', 'archived', 'completed'] as const) {
    note(set, await redis.zrange(keys[set], 0, '-1'));
  }
  for (const key of await redis.keys(`${keys.groupPrefix}*`)) note('g:g', await redis.zrange(key, 0, '-1'));
  const faults: string[] = [];
  for (const key of await redis.keys(`${keys.taskPrefix}*`)) {
    const id = key.slice(keys.taskPrefix.length);
    const [state, isTask] = [await redis.hget(key, 'state'), await redis.hexists(key, 'msg')];
    const wanted = placeOfState[state ?? ''] ?? state;
    const found = (places.get(id) ?? []).join();
    if (found !== wanted || isTask === 0) faults.push(`${id} says ${state}, is in [${found}], msg: ${isTask}`);
    places.delete(id);
  }
  for (const [id, found] of places) faults.push(`${id} has no hash and is in [${found.join()}]`);
  const grouped = (await redis.zcard(`${keys.groupPrefix}g`)) > 0;
  if (grouped && (await redis.sismember(keys.groups, 'g')) === 0) faults.push('the group is not listed');
  return faults;
}

/** A whole round with what was found before, as a caller does it. */
async function reconcile(tasks: SeededQueue, play: QueuePlay, confirmed: readonly Disorder[]) {
  const suspicions: Disorder[] = [];
  const healed: Disorder[] = [];
  let cursor: string | undefined;
  let given = confirmed;
  do {
    const request = { queues: [tasks.queue], now: play.now, cursor, confirmed: given };
    const step = await tasks.maintenance.reconcile(request);
    suspicions.push(...step.suspicions);
    healed.push(...step.healed);
    ({ cursor, given } = { cursor: step.cursor, given: [] });
  } while (cursor !== undefined);
  return { suspicions, healed };
}

/** Takes an id out of, or puts it into, a list or set, as an eviction or an aborted script may have done. */
const anyDamage = fc.record({
  id: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
  place: fc.constantFrom('pending', 'active', 'lease', 'scheduled', 'retry', 'archived', 'completed', 'g:g', 'groups'),
  isTaken: fc.boolean(),
});
type Damage = typeof anyDamage extends fc.Arbitrary<infer T> ? T : never;

async function damage({ keys, redis }: SeededQueue, { id, place, isTaken }: Damage): Promise<void> {
  if (place === 'groups') await redis.del(keys.groups);
  else if (place === 'pending' || place === 'active') {
    await redis.lrem(keys[place], 0, id);
    if (!isTaken) await redis.lpush(keys[place], id);
  } else {
    const key = place === 'g:g' ? `${keys.groupPrefix}g` : keys[place];
    // That a task of an aggregation set is in its group too is nothing that could happen, or be seen.
    const isInSet = (
      await Promise.all((await redis.keys(`${keys.groupPrefix}g:*`)).map(async (set) => await redis.zscore(set, id)))
    ).some((score) => score !== null);
    if (isTaken) await redis.zrem(key, id);
    else if (place !== 'g:g' || !isInSet) await redis.zadd(key, 1, id);
  }
}

describe('any damage after any sequence of broker operations', () => {
  const onQueue = async (act: (tasks: SeededQueue, play: QueuePlay) => Promise<void>): Promise<void> => {
    const tasks = SeededQueue.open();
    try {
      const message = (fields: Partial<TaskMessage>) => tasks.messageOf({ id: fields.id ?? '', message: fields });
      await act(tasks, new QueuePlay({ queue: tasks.queue, broker: tasks.broker, message }, noon));
    } finally {
      await tasks.close();
    }
  };
  const idsOf = async (tasks: SeededQueue): Promise<Set<string>> =>
    new Set(
      (await tasks.redis.keys(`${tasks.keys.taskPrefix}*`)).map((key) => key.slice(tasks.keys.taskPrefix.length)),
    );

  it('is healed without losing or duplicating a task', async () => {
    const holds = async (moves: readonly Move[], damages: readonly Damage[]): Promise<void> =>
      await onQueue(async (tasks, play) => {
        for (const move of moves) await play.make(move);
        const before = await idsOf(tasks);
        for (const one of damages) await damage(tasks, one);
        let found = await reconcile(tasks, play, []);
        for (let rounds = 0; found.suspicions.length > 0; rounds++) {
          expect(rounds).toBeLessThan(5);
          play.now = addMs(play.now, ms(31_000));
          found = await reconcile(tasks, play, found.suspicions);
        }
        expect(await disorderOf(tasks)).toEqual([]);
        expect(await idsOf(tasks)).toEqual(before);
      });
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyMove, { minLength: 5, maxLength: 20 }),
        fc.array(anyDamage, { minLength: 1, maxLength: 5 }),
        holds,
      ),
      { numRuns: 40 },
    );
  });
});
