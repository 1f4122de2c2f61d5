import type { Settlement } from '../../lib/model/broker/work.contract.js';
import { AsynqError } from '../../lib/model/errors/asynq-error.js';
import type { TaskMessage } from '../../lib/model/task/task-message.js';
import { seededRandom } from '../support/seeded-random.js';
import { chapter } from './chapter.js';
import { nothingCounted } from './queue-under-test.js';
import type { Place } from './storage-probe.js';
import { after, ended, ids, leaseSeconds, now, owner } from './task-words.js';

type Kind = Settlement['kind'];

/** Where a task of each kind ends up. */
const placesAfter: Readonly<Record<Kind, readonly Place[]>> = {
  done: [],
  complete: ['completed'],
  retry: ['retry'],
  archive: ['archived'],
  delete: [],
  requeue: ['pending'],
  snooze: ['scheduled'],
};
export const settlementKinds = Object.keys(placesAfter) as Kind[];
const kinds = settlementKinds;

/** How a run ended, one way of each kind. */
export function settlementOf(kind: Kind, message: TaskMessage): Settlement {
  switch (kind) {
    case 'complete':
      return { kind, message, expiresAt: after(60_000), result: undefined };
    case 'retry':
      return { kind, message, retryAt: after(5_000), counts: 'as-failure' };
    case 'snooze':
      return { kind, message, until: after(5_000) };
    case 'done':
    case 'archive':
    case 'delete':
    case 'requeue':
      return { kind, message };
  }
}

export const settling = chapter('settling', (it) => {
  it('settles tasks of every kind in one call, each with its own outcome', async (tasks) => {
    const messages = await tasks.running(...kinds.map((id) => ({ id })));
    const settlements = messages.map((message, i) => settlementOf(kinds[i] ?? 'done', message));
    const gone = kinds.map((kind) => settlementOf(kind, tasks.message({ id: `gone-${kind}` })));
    const outcomes = await tasks.settle(...settlements.flatMap((settlement, i) => [settlement, gone[i] ?? settlement]));
    expect(outcomes).toEqual(kinds.flatMap(() => ['settled', 'not-active']));
    for (const kind of kinds) expect([kind, await tasks.placesOf(kind)]).toEqual([kind, placesAfter[kind]]);
    expect((await tasks.probe.taskIds()).filter((id) => id.startsWith('gone'))).toEqual([]);
    expect([await tasks.idsIn('active'), await tasks.idsIn('lease')]).toEqual([[], []]);
  });

  it('does nothing for an empty batch', async (tasks) => {
    expect(await tasks.settle()).toEqual([]);
    expect(await tasks.counters()).toEqual(nothingCounted);
  });

  for (const kind of kinds) {
    it(`P-76 refuses to ${kind} a task that is only in active or only in lease, and writes nothing`, async (tasks) => {
      const messages = await tasks.running({ id: 'unleased' }, { id: 'inactive' }, { id: 'fine' });
      await tasks.probe.takeOut('lease', 'unleased');
      await tasks.probe.takeOut('active', 'inactive');
      const outcomes = await tasks.settle(...messages.map((message) => settlementOf(kind, message)));
      expect(outcomes).toEqual(['not-active', 'not-active', 'settled']);
      expect(await tasks.placesOf('unleased')).toEqual(['active']);
      expect(await tasks.placesOf('inactive')).toEqual(['lease']);
      expect(await tasks.placesOf('fine')).toEqual(placesAfter[kind]);
      expect([await tasks.stateOf('unleased'), await tasks.stateOf('inactive')]).toEqual(['active', 'active']);
    });

    it(`settles a task once when asked twice to ${kind} it`, async (tasks) => {
      const twice = settlementOf(kind, await tasks.one());
      expect(await tasks.settle(twice, twice)).toEqual(['settled', 'not-active']);
      expect(await tasks.placesOf('a')).toEqual(placesAfter[kind]);
      expect((await tasks.counters()).processed).toBeLessThanOrEqual(1);
      expect(await tasks.settle(twice)).toEqual(['not-active']);
    });

    it(`P-76 refuses to ${kind} a pending task, and one that never existed`, async (tasks) => {
      await tasks.enqueue({ id: 'a', uniqueKey: tasks.lockName(), uniqueForSeconds: 60 });
      const messages = [tasks.message({ uniqueKey: tasks.lockName() }), tasks.message({ id: 'b' })];
      const outcomes = await tasks.settle(...messages.map((message) => settlementOf(kind, message)));
      expect(outcomes).toEqual(['not-active', 'not-active']);
      expect(await tasks.placesOf('a')).toEqual(['pending']);
      expect(await tasks.probe.taskIds()).toEqual(['a']);
      expect((await tasks.probe.lock(tasks.lockName()))?.holder).toBe('a');
      expect(await tasks.counters()).toEqual(nothingCounted);
    });
  }

  for (const kind of ['complete', 'retry', 'archive', 'requeue', 'snooze'] as const) {
    it(`Q-21 stores a task whose record was lost while it ran, to ${kind} it`, async (tasks) => {
      const message = await tasks.one();
      await tasks.probe.loseTask('a');
      expect(await tasks.settle(settlementOf(kind, message))).toEqual(['settled']);
      expect(await tasks.placesOf('a')).toEqual(placesAfter[kind]);
      expect((await tasks.stored('a')).type).toBe(message.type);
    });

    it(`removes the fields that belong to the run, to ${kind} the task`, async (tasks) => {
      const message = await tasks.one();
      await tasks.cancel('a', 'archive');
      await tasks.settle(settlementOf(kind, message));
      expect(await tasks.task('a')).toMatchObject({ owner: undefined, canceled: undefined });
    });
  }

  it('P-76 settles a task once, even when its id is in active twice', async (tasks) => {
    const message = await tasks.one();
    await tasks.probe.putIn('active', ['a'], 0);
    const twice = settlementOf('archive', message);
    expect(await tasks.settle(twice, twice)).toEqual(['settled', 'not-active']);
    expect(await tasks.placesOf('a')).toEqual(['active', 'archived']);
    expect(await tasks.counters()).toMatchObject({ processed: 1, failed: 1 });
  });

  it('settles exactly the tasks given, in any order and among any number of running tasks', async (tasks) => {
    const random = seededRandom(7);
    const rounds = [[1, 1], [5, 5], [30, 4], [30, 5], [40, 20], [41, 21], [300, 10], [300, 9], [120, 120], [121, 121], [900, 200], [900, 199]] as const; // prettier-ignore
    for (const [running, given] of rounds) {
      const messages = await tasks.running(...ids(running).map((id) => ({ id: `${running}-${id}` })));
      const before = await tasks.idsIn('active');
      const shuffled = messages.toSorted(() => random() - 0.5).slice(0, given);
      const strangers = ids(3).map((id) => tasks.message({ id: `stranger-${id}` }));
      const wanted = [...shuffled, ...strangers].toSorted(() => random() - 0.5);
      // A lease that ends far ahead, and one whose end is near enough for a closer look: neither may make a difference.
      const leaseUntil = after(given % 2 === 0 ? 30_000 : 3_600_000);
      const run = { takenAt: now, leaseUntil, leaseAsked: leaseUntil };
      const settlements = ended(
        wanted.map((message) => settlementOf('done', message)),
        run,
      );
      const outcomes = await tasks.broker.work.settle({ queue: tasks.queue, owner, settlements, now });
      expect(outcomes).toEqual(wanted.map((message) => (strangers.includes(message) ? 'not-active' : 'settled')));
      const left = before.filter((id) => !shuffled.some((message) => message.id === id));
      expect(await tasks.idsIn('active')).toEqual(left);
      expect((await tasks.idsIn('lease')).toSorted()).toEqual(left.toSorted());
      const rest = messages.filter((message) => !shuffled.includes(message));
      await tasks.settle(...rest.map((message) => settlementOf('done', message)));
      expect(await tasks.idsIn('active')).toEqual([]);
    }
  });

  it('releases runs of tasks from the middle of those that run, as with many servers on a queue', async (tasks) => {
    const leaseUntil = after(3_600_000);
    const runsOf = (...runs: readonly (readonly [number, number])[]): readonly number[] =>
      runs.flatMap(([first, count]) => ids(count).map((_, i) => first + i));
    const rounds = [
      runsOf([300, 50]),
      runsOf([300, 50]).toReversed(),
      runsOf([450, 20], [100, 20], [250, 20], [590, 10]),
      runsOf([3, 1], [200, 40], [500, 1], [100, 40]),
      ids(60).map((_, i) => 10 * i),
    ];
    for (const places of rounds) {
      for (const odd of [undefined, 0, 7]) {
        const messages = await tasks.running(...ids(600).map((id) => ({ id })));
        const wanted = places.flatMap((place) => messages[place] ?? []);
        const stays = odd === undefined ? undefined : wanted[odd]?.id;
        if (stays !== undefined) await tasks.probe.takeOut('lease', stays);
        const before = await tasks.idsIn('active');
        const settlements = ended(
          wanted.map((message) => settlementOf('done', message)),
          { takenAt: now, leaseUntil, leaseAsked: leaseUntil },
        );
        const outcomes = await tasks.broker.work.settle({ queue: tasks.queue, owner, settlements, now });
        expect(outcomes).toEqual(wanted.map(({ id }) => (id === stays ? 'not-active' : 'settled')));
        const left = before.filter((id) => id === stays || !wanted.some((message) => message.id === id));
        expect((await tasks.idsIn('active')).toSorted()).toEqual(left.toSorted());
        if (stays === undefined) expect(await tasks.idsIn('active')).toEqual(left);
        expect((await tasks.idsIn('lease')).toSorted()).toEqual(left.filter((id) => id !== stays).toSorted());
        const rest = messages.filter((message) => !wanted.includes(message));
        await tasks.settle(...rest.map((message) => settlementOf('done', message)));
        if (stays !== undefined) {
          await tasks.probe.takeOut('active', stays);
          await tasks.probe.loseTask(stays);
        }
        expect([await tasks.idsIn('active'), await tasks.probe.taskIds()]).toEqual([[], []]);
      }
    }
  });

  it('P-76 does not touch tasks that are only in active or only in lease, in whatever order and number tasks end', async (tasks) => {
    const leaseUntil = after(3_600_000);
    for (const given of [1, 2, 3, 4, 30]) {
      for (const order of ['oldest first', 'newest first', 'one out of order'] as const) {
        for (const place of ['active', 'lease'] as const) {
          const messages = [...(await tasks.running(...ids(given).map((id) => ({ id }))))];
          if (order === 'newest first') messages.reverse();
          if (order === 'one out of order') messages.push(...messages.splice(Math.min(1, given - 1), 1));
          const odd = messages[Math.floor(given / 2)]?.id ?? '';
          await tasks.probe.takeOut(place, odd);
          const settlements = ended(
            messages.map((message) => settlementOf('done', message)),
            { takenAt: now, leaseUntil, leaseAsked: leaseUntil },
          );
          const outcomes = await tasks.broker.work.settle({ queue: tasks.queue, owner, settlements, now });
          expect(outcomes).toEqual(messages.map(({ id }) => (id === odd ? 'not-active' : 'settled')));
          const other = place === 'active' ? 'lease' : 'active';
          expect([await tasks.idsIn(place), await tasks.idsIn(other)]).toEqual([[], [odd]]);
          expect(await tasks.probe.taskIds()).toEqual([odd]);
          await tasks.probe.takeOut(other, odd);
          await tasks.probe.loseTask(odd);
        }
      }
    }
  });

  it('settles messages of millions of bytes', async (tasks) => {
    const payload = Buffer.alloc(300_000, 1);
    const messages = await tasks.running(...ids(9).map((id) => ({ id, payload })));
    const outcomes = await tasks.settle(...messages.map((message) => settlementOf('archive', message)));
    expect(new Set(outcomes)).toEqual(new Set(['settled']));
    expect((await tasks.stored('id-8')).payload.length).toBe(300_000);
  });

  it('settles a task that another process took', async (tasks) => {
    const message = await tasks.one();
    const { queue } = tasks;
    expect(
      await tasks.other.work.settle({ queue, owner, settlements: ended([settlementOf('done', message)]), now }),
    ).toEqual(['settled']);
    expect(await tasks.settle(settlementOf('done', message))).toEqual(['not-active']);
  });

  it('settles a task whose lease has expired if nobody has recovered it', async (tasks) => {
    const [message] = await tasks.expired(600, { id: 'a' });
    expect(await tasks.settle(settlementOf('done', message ?? tasks.message()))).toEqual(['settled']);
  });

  it('writes no result for a task that is gone, so that its id stays free', async (tasks) => {
    expect(await tasks.writeResult('a', Buffer.from('r'))).toBe(false);
    expect(await tasks.probe.taskIds()).toEqual([]);
    await tasks.one();
    expect(await tasks.writeResult('a', Buffer.from('r'))).toBe(true);
    expect(Buffer.from((await tasks.task('a')).result ?? [])).toEqual(Buffer.from('r'));
    expect(await tasks.writeResult('a', Buffer.from([0, 255]))).toBe(true);
    expect(Buffer.from((await tasks.task('a')).result ?? [])).toEqual(Buffer.from([0, 255]));
    expect(await tasks.probe.secondOf('lease', 'a')).toBe(leaseSeconds);
  });

  it('copies the values it takes and returns, so that callers cannot change each other’s bytes', async (tasks) => {
    const result = Buffer.from('result');
    const first = await tasks.one({ payload: Buffer.from('payload') });
    await tasks.writeResult('a', result);
    result.fill(0);
    first.payload.fill(0);
    expect(Buffer.from((await tasks.task('a')).result ?? []).toString()).toBe('result');
    await tasks.settle({ kind: 'requeue', message: first });
    const [second = first] = (await tasks.dequeue()).messages;
    expect(Buffer.from(second.payload).toString()).toBe('payload');
    const completion = Buffer.from('completed');
    await tasks.settle({ ...settlementOf('complete', second), result: completion } as Settlement);
    completion.fill(0);
    second.payload.fill(0);
    expect(Buffer.from((await tasks.task('a')).result ?? []).toString()).toBe('completed');
    expect(Buffer.from((await tasks.stored('a')).payload).toString()).toBe('payload');
  });

  it('returns an error for each task once the broker is closed, and does not reject', async (tasks) => {
    const message = await tasks.one();
    const closed = tasks.anotherBroker();
    await closed.open();
    await closed.close();
    const requests = [tasks.request({ id: 'b' }), tasks.request({ id: 'c' })];
    expect(await closed.enqueue.enqueue(requests, after(0))).toEqual([expect.any(AsynqError), expect.any(AsynqError)]);
    const settlements = ended([settlementOf('done', message)]);
    expect(await closed.work.settle({ queue: tasks.queue, owner, settlements, now })).toEqual([expect.any(AsynqError)]);
    expect(await tasks.placesOf('a')).toEqual(['active', 'lease']);
  });
});
