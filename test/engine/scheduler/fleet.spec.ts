import { BrokerCommandError } from '../../../lib/model/errors/broker-errors.js';
import { addMs, ms } from '../../../lib/model/time/duration.js';
import type { AsynqScheduler } from '../../../lib/engine/scheduler/asynq-scheduler.js';
import type { SchedulerOptions } from '../../../lib/engine/scheduler/scheduler-options.js';
import { SchedulersUnderTest } from '../scheduler-under-test.js';
import { useOwnRedis } from '../../support/redis-server.js';

useOwnRedis();

const start = Date.parse('2026-03-01T12:00:00Z');

describe('schedulers with the same schedules', () => {
  let test: SchedulersUnderTest;
  beforeEach(async () => {
    test = await SchedulersUnderTest.open();
  });
  afterEach(async () => await test.close());

  const replica = async (options: SchedulerOptions = {}): Promise<AsynqScheduler> => {
    const scheduler = test.create(options);
    scheduler.register('* * * * * *', 'every-second');
    await scheduler.start();
    return scheduler;
  };
  /** The ticks that became tasks, as seconds after the start, in order. */
  const enqueued = (): number[] =>
    test
      .heard('scheduleEnqueued')
      .map(({ tick }) => (tick - start) / 1_000)
      .sort((a, b) => a - b);
  const upTo = (last: number): number[] => Array.from({ length: last }, (_, index) => index + 1);

  it('enqueue one task per tick between them, under one id, with one history', async () => {
    const fleet = [await replica(), await replica(), await replica()];
    await test.time.advance('5s');
    expect(await test.pendingTypes()).toHaveLength(5);
    expect(enqueued()).toEqual(upTo(5));
    expect(test.heard('scheduleSkipped').every(({ reason }) => reason === 'taken')).toBe(true);
    const [id = ''] = new Set(fleet.flatMap((one) => one.schedules().map((entry) => entry.id)));
    expect((await test.history(id)).map(({ taskId }) => taskId).toSorted()).toEqual(
      (await test.pending()).map((message) => message.id).toSorted(),
    );
    expect(fleet.map((one) => one.schedules()[0]?.previous)).toEqual(fleet.map(() => new Date(start + 5_000)));
  });

  it('enqueue one task per tick when one clock is 3 s ahead and another 3 s behind', async () => {
    const { time } = test;
    const shifted = (by: number): SchedulerOptions => ({
      clock: {
        now: () => addMs(time.now(), ms(by)),
        monotonic: () => time.monotonic(),
        setTimer: (delay, run) => time.setTimer(delay, run),
      },
    });
    await replica(shifted(-3_000));
    await replica();
    await time.advance('5s');
    const ahead = await replica(shifted(3_000));
    await time.advance('5s');
    // The one that is behind begins with ticks that are past for the others.
    expect(enqueued()).toEqual([-2, -1, 0, ...upTo(13)]);
    await ahead.shutdown();
    await time.advance('5s');
    expect(enqueued()).toEqual([-2, -1, 0, ...upTo(15)]);
    expect(await test.pendingTypes()).toHaveLength(18);
  });

  it('continue when one of them leaves or joins at any time', async () => {
    const first = await replica();
    await test.time.advance('3s');
    await replica();
    await test.time.advance('1500ms');
    await first.shutdown();
    await test.time.advance('3500ms');
    expect(enqueued()).toEqual(upTo(8));
  });

  it('keep the ticks while Redis is away, and enqueue each once when it is back', async () => {
    await replica();
    await test.time.advance('1s');
    test.broker.faults.enqueueTick.push(...Array.from({ length: 20 }, () => 'lost-before' as const));
    await test.time.advance('6s');
    expect(enqueued()).toEqual([1]);
    await test.time.advance('20s');
    expect(enqueued()).toEqual(upTo(27));
    expect(await test.pendingTypes()).toHaveLength(27);
  });

  it('S-132 report every tick that cannot be enqueued for now, and log it once', async () => {
    await replica();
    test.broker.faults.enqueueTick.push(...Array.from({ length: 12 }, () => 'lost-before' as const));
    await test.time.advance('4s');
    const failed = test.heard('scheduleFailed').map(({ tick, outcome }) => [(tick - start) / 1_000, outcome]);
    expect(failed).toEqual([
      [1, 'retry'],
      [2, 'retry'],
      [3, 'retry'],
      [4, 'retry'],
    ]);
    expect(test.logger.messages('error')).toEqual(['Ticks cannot be enqueued, still trying: Redis cannot be reached']);
  });

  it('do not enqueue twice when a reply is lost', async () => {
    await replica();
    test.broker.faults.enqueueTick.push('lost-after', 'lost-after');
    await test.time.advance('3s');
    expect(enqueued()).toEqual(upTo(3));
    expect(await test.pendingTypes()).toHaveLength(3);
  });

  it('retry ticks that Redis refuses, without delaying other schedules', async () => {
    const scheduler = test.create();
    scheduler.register('* * * * * *', 'refused');
    scheduler.register('* * * * * *', 'fine');
    await scheduler.start();
    test.broker.faults.enqueueTick.push(new BrokerCommandError('OOM command not allowed'));
    await test.time.advance('2s');
    expect((await test.pendingTypes()).toSorted()).toEqual(['fine', 'fine', 'refused', 'refused']);
  });

  it('keep at most a thousand ticks of a schedule, drop the oldest, and say so', async () => {
    await replica();
    test.broker.faults.enqueueTick.push(...Array.from({ length: 5_000 }, () => new BrokerCommandError('OOM')));
    await test.time.advance('1010s');
    test.broker.faults.enqueueTick.length = 0;
    await test.time.advance('1s');
    const isDropped = ({ outcome }: { readonly outcome: string }): boolean => outcome === 'drop';
    const ended = (): number => test.heard('scheduleFailed').filter(isDropped).length + enqueued().length;
    for (let turn = 0; turn < 500 && ended() < 1_011; turn += 1) await test.time.settle();
    const dropped = test.heard('scheduleFailed').filter(isDropped);
    expect(dropped.map(({ tick }) => (tick - start) / 1_000)).toEqual(upTo(1_011).slice(0, dropped.length));
    expect(ended()).toBe(1_011);
    expect(enqueued()).toEqual(upTo(1_011).slice(-enqueued().length));
    expect(enqueued().length).toBeGreaterThanOrEqual(1_000);
    expect(test.logger.messages('warn')).toContainEqual(expect.stringContaining('enqueued nothing: Too many ticks'));
  });

  it('find the ticks that passed during a sleep, and enqueue those that no other scheduler has', async () => {
    const asleep = await replica();
    await test.time.advance('2s');
    test.time.jump('60s');
    await test.time.advance('1s');
    for (let turn = 0; turn < 100 && enqueued().length < 63; turn += 1) await test.time.settle();
    expect(enqueued()).toEqual(upTo(63));
    expect(await test.pendingTypes()).toHaveLength(63);
    expect(asleep.schedules()[0]?.next).toEqual(new Date(start + 64_000));
  });
});
