import type { AsynqScheduler } from '../../../lib/engine/scheduler/asynq-scheduler.js';
import {
  type PeriodicTask,
  PeriodicTasks,
  type PeriodicTasksOptions,
} from '../../../lib/engine/scheduler/periodic-tasks.js';
import { defineTask } from '../../../lib/model/task/task-definition.js';
import { ms } from '../../../lib/model/time/duration.js';
import { aGate } from '../../support/until.js';
import { SchedulersUnderTest } from '../scheduler-under-test.js';
import { useOwnRedis } from '../../support/redis-server.js';
import { StandstillClock } from '../../support/standstill-clock.js';
import { AnswerSockets } from '../../support/unread-answer.js';
import { eventLoopTurns } from '../../support/virtual-clock.js';

useOwnRedis();

describe('periodic tasks', () => {
  let test: SchedulersUnderTest;
  let scheduler: AsynqScheduler;
  let listed: readonly PeriodicTask[] | Error;
  let periodicTasks: PeriodicTasks;
  const provider = {
    getTasks: async (): Promise<readonly PeriodicTask[]> =>
      listed instanceof Error ? await Promise.reject(listed) : listed,
  };
  beforeEach(async () => {
    test = await SchedulersUnderTest.open();
    scheduler = test.create();
    periodicTasks = new PeriodicTasks({ provider, scheduler });
  });
  afterEach(async () => {
    await periodicTasks.stop();
    await test.close();
  });

  const hourly = (type: string, more: Partial<PeriodicTask> = {}): PeriodicTask => ({
    spec: '0 * * * *',
    task: type,
    ...more,
  });
  /** Type and entry id of what is registered. */
  const registered = (): Record<string, string> =>
    Object.fromEntries(scheduler.schedules().map(({ type, id }) => [type, id]));
  const syncWith = async (tasks: readonly PeriodicTask[] | Error): Promise<void> => {
    listed = tasks;
    await test.time.advance('3m');
  };

  it('S-147 need a provider and a scheduler', () => {
    const refused = (options: unknown, message: RegExp): void =>
      expect(() => new PeriodicTasks(options as PeriodicTasksOptions)).toThrow(message);
    refused({ scheduler }, /PeriodicTasks: provider must be an object/);
    refused({ provider: {}, scheduler }, /PeriodicTasks: provider.getTasks must be a function/);
    refused({ provider }, /PeriodicTasks: scheduler must be an AsynqScheduler/);
    refused({ provider, scheduler, syncIntervall: 1 }, /did you mean syncInterval\?/);
  });

  it('S-148 stay registered while their content is equal, whatever the order of the options', async () => {
    const report = (options: PeriodicTask['options']): PeriodicTask =>
      hourly('report', { payload: { a: 1 }, ...(options === undefined ? {} : { options }) });
    listed = [report({ maxRetry: 3, headers: { a: '1', b: '2' } })];
    await periodicTasks.start();
    const before = registered();
    await syncWith([report({ headers: { b: '2', a: '1' }, maxRetry: 3 })]);
    expect(registered()).toEqual(before);
  });

  it.each<[string, Partial<PeriodicTask>]>([
    ['spec', { spec: '30 * * * *' }],
    ['type', { task: 'other' }],
    ['payload', { payload: { a: 2 } }],
    ['options', { options: { maxRetry: 4, timeout: '1m' } }],
    ['a part of the options', { options: { maxRetry: 3 } }],
  ])('S-149 are replaced when their %s changes', async (_, change) => {
    const task = hourly('report', { payload: { a: 1 }, options: { maxRetry: 3, timeout: '1m' } });
    listed = [task];
    await periodicTasks.start();
    const before = Object.values(registered());
    await syncWith([{ ...task, ...change }]);
    expect(scheduler.schedules()).toHaveLength(1);
    expect(Object.values(registered())).not.toEqual(before);
  });

  it('S-150 are registered at the start, and tick', async () => {
    listed = [hourly('a'), hourly('b', { task: defineTask('b', { maxRetry: 1 }) })];
    await periodicTasks.start();
    await scheduler.start();
    await test.time.advance('1h');
    expect((await test.pending()).map(({ type, maxRetry }) => [type, maxRetry])).toEqual([
      ['a', 25],
      ['b', 1],
    ]);
  });

  it('S-151 are added and removed as listed; those that stay keep their schedule', async () => {
    listed = [hourly('stays'), hourly('goes')];
    await periodicTasks.start();
    const before = registered();
    await syncWith([hourly('stays'), hourly('comes')]);
    expect(Object.keys(registered())).toEqual(['stays', 'comes']);
    expect(registered()['stays']).toBe(before['stays']);
  });

  it('S-152 are all removed when none is listed', async () => {
    listed = [hourly('a'), hourly('b')];
    await periodicTasks.start();
    await syncWith([]);
    expect(scheduler.schedules()).toEqual([]);
  });

  it('S-153 do not start when the provider fails, and stay unchanged when it fails later', async () => {
    listed = new Error('no database');
    await expect(periodicTasks.start()).rejects.toThrow('no database');
    expect(scheduler.schedules()).toEqual([]);
    listed = [hourly('a')];
    await periodicTasks.start();
    await syncWith(new Error('no database'));
    expect(Object.keys(registered())).toEqual(['a']);
    expect(test.heard('periodicTasksFailed')).toMatchObject([{ error: { message: 'no database' } }]);
    expect(test.logger.messages('error')).toEqual(['The periodic tasks are unchanged: no database']);
    await syncWith([hourly('b')]);
    expect(Object.keys(registered())).toEqual(['b']);
  });

  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['no task', { spec: '@hourly' }],
    ['a blank spec', { spec: ' ', task: 'a' }],
    ['no options', { spec: '@hourly', task: 'a', options: null }],
    ['a wrong option', { spec: '@hourly', task: 'a', options: { maxRetry: -1 } }],
    ['a task id', { spec: '@hourly', task: 'a', options: { taskId: 'P1' } }],
    ['a payload that cannot be encoded', { spec: '@hourly', task: 'a', payload: 1n }],
  ])('S-154 do not start with %s among them, and stay as they are when it comes later', async (_, wrong) => {
    listed = [hourly('new'), wrong as PeriodicTask];
    await expect(periodicTasks.start()).rejects.toMatchObject({ code: expect.stringMatching(/INVALID/) });
    expect(scheduler.schedules()).toEqual([]);
    listed = [hourly('old')];
    await periodicTasks.start();
    await syncWith([hourly('new'), wrong as PeriodicTask]);
    expect(Object.keys(registered())).toEqual(['old']);
    expect(test.heard('periodicTasksFailed')).toHaveLength(1);
  });

  it('S-155 skip one with an invalid spec, report it, and check it again each time', async () => {
    listed = [hourly('good'), hourly('bad', { spec: '61 * * * *' })];
    await periodicTasks.start();
    expect(Object.keys(registered())).toEqual(['good']);
    await syncWith(listed);
    expect(test.heard('periodicTasksFailed')).toMatchObject([
      { error: { code: 'ASYNQ_INVALID_CRON_SPEC' } },
      { error: { code: 'ASYNQ_INVALID_CRON_SPEC' } },
    ]);
    await syncWith([hourly('good'), hourly('bad')]);
    expect(Object.keys(registered())).toEqual(['good', 'bad']);
  });

  it('skip one whose time zone does not exist', async () => {
    listed = [hourly('a'), hourly('b', { options: { timeZone: 'BST' } })];
    await periodicTasks.start();
    expect(Object.keys(registered())).toEqual(['a']);
    expect(test.logger.messages('error')).toEqual([
      `A periodic task is left out: register: options.timeZone must be an IANA time zone, got "BST"; did you mean 'Europe/London'?`,
    ]);
    await syncWith([hourly('a'), hourly('b', { options: { timeZone: 'Europe/London' } })]);
    expect(Object.keys(registered())).toEqual(['a', 'b']);
  });

  it('skip one whose ticks are closer together than its unique time', async () => {
    const options = { unique: '10m' } as const;
    listed = [hourly('a', { options }), hourly('b', { options, spec: '@every 5m' })];
    await periodicTasks.start();
    expect(Object.keys(registered())).toEqual(['a']);
    expect(test.logger.messages('error')).toEqual([
      expect.stringMatching(
        /^A periodic task is left out: register: options\.unique must be at most 5m, .* "@every 5m"/,
      ),
    ]);
    await syncWith([hourly('a', { options }), hourly('b', { options, spec: '@every 10m' })]);
    expect(Object.keys(registered())).toEqual(['a', 'b']);
  });

  it('S-156 are checked every three minutes by default', async () => {
    listed = [];
    await periodicTasks.start();
    listed = [hourly('a')];
    await test.time.advance('179s');
    expect(scheduler.schedules()).toEqual([]);
    await test.time.advance('1s');
    expect(scheduler.schedules()).toHaveLength(1);
    expect(() => new PeriodicTasks({ provider, scheduler, syncInterval: -1 })).toThrow(/longer than zero/);
  });

  it('S-157 are replaced when only the options of a definition change, or headers', async () => {
    const report = (maxRetry: number): PeriodicTask => hourly('', { task: defineTask('report', { maxRetry }) });
    listed = [report(1)];
    await periodicTasks.start();
    const before = registered();
    await syncWith([report(2)]);
    expect(registered()).not.toEqual(before);
    const after = registered();
    await syncWith([{ ...report(2), options: { headers: { a: 'b' } } }]);
    expect(Object.keys(registered())).toEqual(['report']);
    expect(registered()).not.toEqual(after);
  });

  it('are replaced when only overlap or catchUp change, under the same id', async () => {
    listed = [hourly('a')];
    await periodicTasks.start();
    const before = registered();
    await syncWith([hourly('a', { options: { overlap: 'skip', catchUp: 'all' } })]);
    expect(registered()).toEqual(before);
    expect(scheduler.schedules()).toMatchObject([{ overlap: 'skip', catchUp: 'all' }]);
  });

  it('are registered once when two are equal', async () => {
    listed = [hourly('a'), hourly('a')];
    await periodicTasks.start();
    expect(scheduler.schedules()).toHaveLength(1);
    await syncWith([]);
    expect(scheduler.schedules()).toEqual([]);
  });

  it('S-158 cannot be started twice', async () => {
    listed = [hourly('a')];
    await periodicTasks.start();
    await expect(periodicTasks.start()).rejects.toMatchObject({ code: 'ASYNQ_INVALID_STATE' });
    expect(scheduler.schedules()).toHaveLength(1);
  });

  it('are removed once stopped, as is the timer; a provider that hangs delays nothing', async () => {
    listed = [hourly('a')];
    await periodicTasks.start();
    scheduler.register('@hourly', 'of somebody else');
    const gate = aGate<readonly PeriodicTask[]>();
    provider.getTasks = async () => await gate.opened;
    await test.time.advance('3m');
    await periodicTasks.stop();
    await periodicTasks.stop();
    expect(Object.keys(registered())).toEqual(['of somebody else']);
    gate.open([hourly('late')]);
    await test.time.advance('1s');
    expect(Object.keys(registered())).toEqual(['of somebody else']);
    expect(test.time.armedTimers).toBe(0);
  });

  it('does not say that getTasks() is slow when its answer came while the process stood still', async () => {
    const sockets = new AnswerSockets();
    const clock = new StandstillClock();
    const asked = aGate();
    const answer = await sockets.next();
    const slow = {
      getTasks: async (): Promise<readonly PeriodicTask[]> => {
        if (isRunning) {
          asked.open();
          await answer.read;
        }
        return [];
      },
    };
    let isRunning = false;
    periodicTasks = new PeriodicTasks({ provider: slow, scheduler: test.create({ clock }), syncInterval: '1m' });
    await periodicTasks.start();
    isRunning = true;
    clock.standStill(ms(60_000));
    await asked.opened;
    await eventLoopTurns(1);
    answer.arrive();
    clock.standStill(ms(60_000));
    await answer.read;
    await eventLoopTurns(2);
    expect(test.logger.messages('warn')).toEqual([]);
    sockets.close();
  });
});
