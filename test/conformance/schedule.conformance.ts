import type { TickOutcome, TickRequest } from '../../lib/model/broker/schedule.contract.js';
import type { PublishedSchedule } from '../../lib/model/cron/published-schedule.js';
import { type EpochMs, epochMs, type Ms, ms } from '../../lib/model/time/duration.js';
import { until } from '../support/until.js';
import { chapter } from './chapter.js';
import { nothingCounted, type QueueUnderTest } from './queue-under-test.js';
import { grouped, later, now, sharp, type Wanted } from './task-words.js';

/** The tick so many seconds after the first one. */
const tickAt = (seconds: number): EpochMs => epochMs(sharp + seconds * 1_000);

export const ticking = chapter('ticks of a schedule', (it) => {
  /** A tick whose task is told apart by its id; schedulers draw ids at random. */
  const enqueueTick = async (
    tasks: QueueUnderTest,
    wanted: Partial<Pick<TickRequest, 'tick' | 'overlap' | 'schedule'>> & Wanted & { readonly at?: EpochMs } = {},
    by = tasks.broker,
  ): Promise<TickOutcome> => {
    const { tick = sharp, overlap = 'allow', schedule = 'backup', at, ...task } = wanted;
    const request = tasks.request({ idIsGenerated: true, ...task });
    // Nobody notices a tick before its time.
    const noticedAt = at ?? (tick > now ? tick : now);
    return await by.schedules.enqueueTick({ schedule, tick, overlap, request, now: noticedAt });
  };
  const latest = async (tasks: QueueUnderTest, ...schedules: readonly string[]) =>
    await tasks.other.schedules.latestTicks(schedules.map((schedule) => ({ queue: tasks.queue, schedule })));

  it('are enqueued by one of twenty callers, and reported as taken to the others', async (tasks) => {
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        enqueueTick(tasks, { id: `task-${i}` }, i % 2 === 0 ? tasks.broker : tasks.other),
      ),
    );
    expect(outcomes.toSorted()).toEqual(['enqueued', ...Array.from({ length: 19 }, () => 'taken')]);
    expect(await tasks.idsIn('pending')).toEqual([`task-${outcomes.indexOf('enqueued')}`]);
    expect(await tasks.probe.taskIds()).toHaveLength(1);
  });

  it('store what an ordinary enqueue stores, wake workers, and register the queue', async (tasks) => {
    const heard = await tasks.listen();
    await enqueueTick(tasks, { id: 'a', maxRetry: 3, payload: Buffer.from('x') });
    expect(await tasks.task('a')).toMatchObject({ state: 'pending', pendingSince: now });
    expect(await tasks.stored('a')).toEqual(tasks.message({ id: 'a', maxRetry: 3, payload: Buffer.from('x') }));
    expect(await tasks.probe.isKnown()).toBe(true);
    expect(await heard.everything()).toEqual(['wake']);
    expect(await tasks.counters()).toEqual(nothingCounted);
  });

  it('place a task that waits, or belongs to a group, as enqueueing does', async (tasks) => {
    await enqueueTick(tasks, later('later', tickAt(60)));
    await enqueueTick(tasks, { ...grouped('member', 'g'), tick: tickAt(1) });
    expect(await tasks.placesOf('later')).toEqual(['scheduled']);
    expect(await tasks.probe.dueAt('later')).toBe(tickAt(60));
    expect(await tasks.placesOf('member')).toEqual(['g:g']);
  });

  it('get the lost outcome when they are sent again with their task id', async (tasks) => {
    expect(await enqueueTick(tasks, { id: 'a' })).toBe('enqueued');
    expect(await enqueueTick(tasks, { id: 'a' })).toBe('enqueued');
    const overlapping = { id: 'b', tick: tickAt(1), overlap: 'skip' } as const;
    expect(await enqueueTick(tasks, overlapping)).toBe('overlaps');
    expect(await enqueueTick(tasks, overlapping)).toBe('overlaps');
    expect(await tasks.idsIn('pending')).toEqual(['a']);
  });

  it('get that outcome even when their task has ended in the meantime', async (tasks) => {
    await enqueueTick(tasks, { id: 'a' });
    const { messages } = await tasks.dequeue();
    await tasks.settle(...messages.map((message) => ({ kind: 'done' as const, message })));
    expect(await enqueueTick(tasks, { id: 'a' })).toBe('enqueued');
    expect(await tasks.probe.taskIds()).toEqual([]);
  });

  it('are taken for others who use the same id because the user chose it', async (tasks) => {
    expect(await enqueueTick(tasks, { id: 'chosen', idIsGenerated: false })).toBe('enqueued');
    expect(await enqueueTick(tasks, { id: 'chosen', idIsGenerated: false })).toBe('taken');
  });

  it('can be enqueued after a later tick of a clock that is ahead', async (tasks) => {
    expect(await enqueueTick(tasks, { id: 'early', tick: tickAt(3) })).toBe('enqueued');
    expect(await enqueueTick(tasks, { id: 'a', tick: tickAt(0) })).toBe('enqueued');
    expect(await enqueueTick(tasks, { id: 'b', tick: tickAt(0) })).toBe('taken');
    expect(await latest(tasks, 'backup')).toEqual([tickAt(3)]);
  });

  it('are taken when they are more than ten minutes older than the latest', async (tasks) => {
    await enqueueTick(tasks, { id: 'a', tick: tickAt(601) });
    const at = tickAt(601);
    expect(await enqueueTick(tasks, { id: 'b', tick: tickAt(0), at })).toBe('taken');
    expect(await enqueueTick(tasks, { id: 'c', tick: tickAt(1), at })).toBe('enqueued');
  });

  it('are enqueued even if a clock is far ahead', async (tasks) => {
    const day = 86_400;
    expect(await enqueueTick(tasks, { id: 'ahead', tick: tickAt(day) })).toBe('enqueued');
    expect(await enqueueTick(tasks, { id: 'a', tick: tickAt(0) })).toBe('enqueued');
    expect(await latest(tasks, 'backup')).toEqual([tickAt(0)]);
    // What is noted of the present outlives the next tick of the one that is ahead.
    expect(await enqueueTick(tasks, { id: 'ahead-again', tick: tickAt(day + 1) })).toBe('enqueued');
    expect(await enqueueTick(tasks, { id: 'b', tick: tickAt(0) })).toBe('taken');
    expect(await enqueueTick(tasks, { id: 'c', tick: tickAt(1) })).toBe('enqueued');
  });

  it('are remembered for ten minutes, one by one, over thousands of seconds', async (tasks) => {
    for (let second = 0; second <= 2_500; second += 100) {
      expect(await enqueueTick(tasks, { id: `task-${second}`, tick: tickAt(second) })).toBe('enqueued');
    }
    const at = tickAt(2_500);
    for (const second of [0, 1_800, 1_900, 2_000, 2_400, 2_500]) {
      expect(await enqueueTick(tasks, { id: 'again', tick: tickAt(second), at })).toBe('taken');
    }
    expect(await enqueueTick(tasks, { id: 'missed', tick: tickAt(1_950), at })).toBe('enqueued');
  });

  it('are used without a task while the task of an earlier tick has not ended, if requested', async (tasks) => {
    const skip = { overlap: 'skip' } as const;
    expect(await enqueueTick(tasks, { id: 'a', ...skip })).toBe('enqueued');
    expect(await enqueueTick(tasks, { id: 'b', tick: tickAt(1), ...skip })).toBe('overlaps');
    expect(await enqueueTick(tasks, { id: 'c', tick: tickAt(1) })).toBe('taken');
    const { messages } = await tasks.dequeue();
    expect(await enqueueTick(tasks, { id: 'd', tick: tickAt(2), ...skip })).toBe('overlaps');
    await tasks.settle(...messages.map((message) => ({ kind: 'snooze' as const, message, until: tickAt(9) })));
    expect(await enqueueTick(tasks, { id: 'e', tick: tickAt(3), ...skip })).toBe('overlaps');
    expect(await latest(tasks, 'backup')).toEqual([tickAt(3)]);
    await tasks.cancel('a', 'delete');
    expect(await enqueueTick(tasks, { id: 'f', tick: tickAt(4), ...skip })).toBe('enqueued');
  });

  for (const kind of ['complete', 'archive', 'done'] as const) {
    it(`treat the task of an earlier tick as ended: ${kind}`, async (tasks) => {
      await enqueueTick(tasks, { id: 'a', overlap: 'skip' });
      const { messages } = await tasks.dequeue();
      const rest = { expiresAt: tickAt(60), result: undefined };
      await tasks.settle(...messages.map((message) => ({ kind, message, ...rest })));
      expect(await enqueueTick(tasks, { id: 'b', tick: tickAt(1), overlap: 'skip' })).toBe('enqueued');
    });
  }

  it('may overlap if that is allowed', async (tasks) => {
    await enqueueTick(tasks, { id: 'a' });
    expect(await enqueueTick(tasks, { id: 'b', tick: tickAt(1) })).toBe('enqueued');
    expect(await tasks.idsIn('pending')).toEqual(['a', 'b']);
  });

  it('are used when their task is refused', async (tasks) => {
    const lock = { uniqueKey: tasks.lockName(), uniqueForSeconds: 60 };
    await tasks.enqueue({ id: 'first', ...lock });
    expect(await enqueueTick(tasks, { id: 'a', ...lock })).toBe('duplicate');
    expect(await enqueueTick(tasks, { id: 'first', tick: tickAt(1), idIsGenerated: false })).toBe('id-conflict');
    expect(await enqueueTick(tasks, { id: 'b' })).toBe('taken');
    expect(await enqueueTick(tasks, { id: 'c', tick: tickAt(1) })).toBe('taken');
    expect(await tasks.idsIn('pending')).toEqual(['first']);
  });

  it('do not affect another schedule, or the same one on another queue', async (tasks) => {
    await enqueueTick(tasks, { id: 'a' });
    expect(await enqueueTick(tasks, { id: 'b', schedule: 'other' })).toBe('enqueued');
    expect(await latest(tasks, 'backup', 'other', 'never')).toEqual([sharp, sharp, undefined]);
    expect(await latest(tasks)).toEqual([]);
    const beside = await tasks.sibling();
    expect(await latest(beside, 'backup')).toEqual([undefined]);
    expect(await enqueueTick(beside, { id: 'a' })).toBe('enqueued');
  });
});

export const publishedSchedules = chapter('what a scheduler publishes', (it) => {
  const anEntry = (fields: Partial<PublishedSchedule> = {}): PublishedSchedule => ({
    id: 'entry',
    spec: '0 2 * * *',
    taskType: 'backup',
    taskPayload: Buffer.from('{}'),
    options: ['Queue("low")'],
    nextEnqueueAt: tickAt(60),
    previousEnqueueAt: tickAt(-60),
    ...fields,
  });
  const idOf = (tasks: QueueUnderTest): string => `host:1:${tasks.queue}`;
  const publish = async (tasks: QueueUnderTest, entries: readonly PublishedSchedule[], ttl: Ms = ms(20_000)) =>
    await tasks.broker.schedules.publishSchedules({ schedulerId: idOf(tasks), schedules: entries, ttl, now });
  const clear = async (tasks: QueueUnderTest) => await tasks.broker.schedules.clearSchedules(idOf(tasks));
  const published = async (tasks: QueueUnderTest) => await tasks.fleet.entries(idOf(tasks));
  const record = async (tasks: QueueUnderTest, taskId: string, enqueuedAt: EpochMs, ttl: Ms = ms(90_000)) =>
    await tasks.broker.schedules.recordEvent({ scheduleId: tasks.queue, event: { taskId, enqueuedAt }, ttl });

  it('P-108 publishes the latest schedules for a while, and removes them when cleared', async (tasks) => {
    const [one, two] = [anEntry({ id: 'one' }), anEntry({ id: 'two', previousEnqueueAt: undefined })];
    await publish(tasks, [one, two]);
    const { entries = [], ttl } = (await published(tasks)) ?? {};
    expect(entries.toSorted((a, b) => (a.id < b.id ? -1 : 1))).toEqual([one, two]);
    expect(ttl).toBeGreaterThan(15_000);
    expect(ttl).toBeLessThanOrEqual(20_000);
    await publish(tasks, [anEntry({ id: 'three' })]);
    expect((await published(tasks))?.entries.map(({ id }) => id)).toEqual(['three']);
    await clear(tasks);
    expect(await published(tasks)).toBeUndefined();
    await clear(tasks);
  });

  it('P-108 publishes nothing while there are no schedules', async (tasks) => {
    await publish(tasks, [anEntry()]);
    await publish(tasks, []);
    expect(await published(tasks)).toBeUndefined();
    await clear(tasks);
  });

  it('Q-49 expires after whole seconds, rounded up, unless it is published again', async (tasks) => {
    await until('a second that has begun counts as one', async () => {
      await publish(tasks, [anEntry()], ms(60_001));
      return ((await published(tasks))?.ttl ?? 0) > 60_001;
    });
    await publish(tasks, [anEntry()], ms(1));
    await until('it is over', async () => (await published(tasks)) === undefined);
    await clear(tasks);
  });

  it('publishes thousands of schedules', async (tasks) => {
    await publish(
      tasks,
      Array.from({ length: 5_000 }, (_, i) => anEntry({ id: `entry-${i}` })),
    );
    expect((await published(tasks))?.entries).toHaveLength(5_000);
    await clear(tasks);
  });

  it('P-109 keeps the newest 1,000 events of a schedule for a while', async (tasks) => {
    await Promise.all(Array.from({ length: 1_002 }, (_, i) => record(tasks, `task-${i}`, tickAt(i))));
    const { events = [], ttl } = (await tasks.fleet.history(tasks.queue)) ?? {};
    expect(events).toHaveLength(1_000);
    expect(events[0]).toEqual({ taskId: 'task-2', enqueuedAt: tickAt(2) });
    expect(events.at(-1)).toEqual({ taskId: 'task-1001', enqueuedAt: tickAt(1_001) });
    expect(ttl).toBeGreaterThan(80_000);
    expect(ttl).toBeLessThanOrEqual(90_000);
    await tasks.fleet.clearHistory(tasks.queue);
  });

  it('P-109 keeps an event once, and none that is older than the newest 1,000', async (tasks) => {
    await record(tasks, 'a', tickAt(0));
    await record(tasks, 'a', tickAt(0));
    expect((await tasks.fleet.history(tasks.queue))?.events).toEqual([{ taskId: 'a', enqueuedAt: tickAt(0) }]);
    await Promise.all(Array.from({ length: 1_000 }, (_, i) => record(tasks, `task-${i}`, tickAt(i + 1))));
    await record(tasks, 'late', tickAt(0));
    const { events = [] } = (await tasks.fleet.history(tasks.queue)) ?? {};
    expect([events.length, events[0]?.taskId, events.at(-1)?.taskId]).toEqual([1_000, 'task-0', 'task-999']);
    await tasks.fleet.clearHistory(tasks.queue);
  });

  it('Q-51 forgets the history of a schedule that no longer ticks', async (tasks) => {
    await record(tasks, 'a', tickAt(0));
    await record(tasks, 'b', tickAt(1), ms(1));
    await until('it is over', async () => (await tasks.fleet.history(tasks.queue)) === undefined);
    expect(await tasks.fleet.history(`${tasks.queue}-never`)).toBeUndefined();
  });
});
