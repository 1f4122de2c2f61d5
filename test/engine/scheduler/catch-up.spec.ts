import type { AsynqScheduler } from '../../../lib/engine/scheduler/asynq-scheduler.js';
import type { CatchUp } from '../../../lib/engine/scheduler/scheduler-options.js';
import type { ScheduleName } from '../../../lib/model/broker/schedule.contract.js';
import type { Duration } from '../../../lib/model/time/duration.js';
import { ticksKey } from '../../../lib/redis/keys.js';
import { aGate } from '../../support/until.js';
import { SchedulersUnderTest } from '../scheduler-under-test.js';
import { useOwnRedis } from '../../support/redis-server.js';

useOwnRedis();

describe('ticks that passed while no scheduler ran', () => {
  let test: SchedulersUnderTest;
  beforeEach(async () => {
    test = await SchedulersUnderTest.open();
  });
  afterEach(async () => await test.close());

  const start = async (catchUp: CatchUp, spec = '0 * * * *'): Promise<AsynqScheduler> => {
    const scheduler = test.create({ catchUp });
    scheduler.register(spec, 'task', undefined, { id: `${test.queue}-entry` });
    await scheduler.start();
    await test.time.settle();
    return scheduler;
  };
  /** Runs a schedule for one tick, then nothing for a while. */
  const runOnceThenRest = async (restFor: Duration, spec?: string): Promise<void> => {
    const scheduler = await start('skip', spec);
    await test.time.advance('1h');
    await scheduler.shutdown();
    test.time.jump(restFor);
  };
  const enqueuedHours = (): string[] =>
    test.heard('scheduleEnqueued').map(({ tick }) => new Date(tick).toISOString().slice(11, 16));

  it('are left out with skip', async () => {
    await runOnceThenRest('3h30m');
    await start('skip');
    await test.time.advance('30m');
    expect(enqueuedHours()).toEqual(['13:00', '17:00']);
    expect(test.heard('scheduleMissed')).toEqual([]);
  });

  it('are made up for by the last one with latest', async () => {
    await runOnceThenRest('3h30m');
    const scheduler = await start('latest');
    expect(enqueuedHours()).toEqual(['13:00', '16:00']);
    expect(scheduler.schedules()[0]?.previous).toEqual(new Date('2026-03-01T16:00:00Z'));
    expect(test.heard('scheduleMissed')).toMatchObject([
      { after: Date.parse('2026-03-01T13:00:00Z'), until: Date.parse('2026-03-01T16:00:00Z') },
    ]);
    await test.time.advance('30m');
    expect(enqueuedHours()).toEqual(['13:00', '16:00', '17:00']);
  });

  it('are all made up for with all, oldest first, by one of the schedulers that start together', async () => {
    await runOnceThenRest('3h30m');
    const both = [test.create({ catchUp: 'all' }), test.create({ catchUp: 'all' })];
    for (const one of both) one.register('0 * * * *', 'task', undefined, { id: `${test.queue}-entry` });
    await Promise.all(both.map(async (one) => await one.start()));
    for (let turn = 0; turn < 20 && enqueuedHours().length < 4; turn += 1) await test.time.settle();
    expect(enqueuedHours()).toEqual(['13:00', '14:00', '15:00', '16:00']);
    expect(await test.pendingTypes()).toHaveLength(4);
  });

  it('go before the first live one', async () => {
    await runOnceThenRest('2h59m59s');
    const gate = aGate();
    const { schedules } = test.broker;
    const latestTicks = schedules.latestTicks.bind(schedules);
    Object.assign(schedules, {
      latestTicks: async (names: readonly ScheduleName[]) => {
        await gate.opened;
        return await latestTicks(names);
      },
    });
    await start('all');
    await test.time.advance('10s');
    expect(enqueuedHours()).toEqual(['13:00']);
    gate.open();
    for (let turn = 0; turn < 20 && enqueuedHours().length < 4; turn += 1) await test.time.settle();
    expect(enqueuedHours()).toEqual(['13:00', '14:00', '15:00', '16:00']);
  });

  it('are limited to the newest thousand, and the rest is reported', async () => {
    await runOnceThenRest('90h', '* * * * *');
    const before = test.heard('scheduleEnqueued').length;
    await start('all', '* * * * *');
    for (let turn = 0; turn < 500 && test.heard('scheduleEnqueued').length < before + 1_000; turn += 1) {
      await test.time.settle();
    }
    const ticks = test
      .heard('scheduleEnqueued')
      .slice(before)
      .map(({ tick }) => tick);
    expect(ticks).toHaveLength(1_000);
    expect(ticks.at(-1)).toBe(test.time.now());
    expect(ticks).toEqual(ticks.toSorted((a, b) => a - b));
    expect(test.heard('scheduleMissed')).toMatchObject([{ until: ticks[0] }]);
  });

  it('do not exist for a schedule that never ran', async () => {
    await start('all');
    await test.time.advance('5m');
    expect(enqueuedHours()).toEqual([]);
  });

  it('cause a log line when Redis refuses to read them', async () => {
    const key = ticksKey(test.queue, `${test.queue}-entry`);
    await test.redis.set(key, 'of somebody else');
    await start('latest');
    expect(test.logger.messages('error')).toEqual([
      expect.stringContaining('The last ticks cannot be read, so schedules that catch up wait: '),
    ]);
    await test.redis.del(key);
    await test.time.advance('1h');
    expect(enqueuedHours()).toEqual(['13:00']);
  });

  describe('because the process slept for hours', () => {
    const sleep = async (catchUp: CatchUp): Promise<void> => {
      await start(catchUp);
      await test.time.advance('1h');
      test.time.jump('3h30m');
      await test.time.advance('1m');
      for (let turn = 0; turn < 5; turn += 1) await test.time.settle();
    };

    it('are left out with skip, and reported', async () => {
      await sleep('skip');
      expect(enqueuedHours()).toEqual(['13:00']);
      expect(test.heard('scheduleMissed')).toHaveLength(1);
    });

    it('are made up for by the last one with latest', async () => {
      await sleep('latest');
      expect(enqueuedHours()).toEqual(['13:00', '16:00']);
    });

    it('are all made up for with all', async () => {
      await sleep('all');
      expect(enqueuedHours()).toEqual(['13:00', '14:00', '15:00', '16:00']);
      expect(test.heard('scheduleMissed')).toEqual([]);
    });
  });
});
