import type { AsynqScheduler } from '../../../lib/engine/scheduler/asynq-scheduler.js';
import type { ScheduleOptions } from '../../../lib/engine/scheduler/schedule.js';
import { InvalidOptionError } from '../../../lib/model/errors/option-errors.js';
import { defineTask } from '../../../lib/model/task/task-definition.js';
import { SchedulersUnderTest } from '../scheduler-under-test.js';

describe('registering a schedule', () => {
  let test: SchedulersUnderTest;
  beforeEach(async () => {
    test = await SchedulersUnderTest.open();
  });
  afterEach(async () => await test.close());

  const refusal = (scheduler: AsynqScheduler, register: () => string): InvalidOptionError => {
    try {
      register();
    } catch (error) {
      expect(error).toBeInstanceOf(InvalidOptionError);
      expect(scheduler.schedules()).toEqual([]);
      return error as InvalidOptionError;
    }
    throw new Error('it was registered');
  };

  it('refuses a task id, and says what to do instead', () => {
    const scheduler = test.create();
    const options = { taskId: 'P1', maxRetry: 0 } as ScheduleOptions;
    const { path, value, message } = refusal(scheduler, () =>
      scheduler.register('* * * * * *', 'poll', undefined, options),
    );
    expect([path, value]).toEqual(['register: options.taskId', 'P1']);
    expect(message).toMatch(/^register: options\.taskId must be left out of a schedule, got "P1": while a task with/);
    expect(message).toMatch(/With overlap: 'skip' a tick enqueues nothing while/);
  });

  it('refuses a task id of the definition or the defaults, and says where it is from', () => {
    const Poll = defineTask('poll', { taskId: 'P1' });
    const scheduler = test.create();
    expect(refusal(scheduler, () => scheduler.register('@hourly', Poll)).path).toBe(
      'register: taskId of the definition "poll"',
    );
    const pinned = test.create({ defaults: { taskId: 'P1' } });
    expect(refusal(pinned, () => pinned.register('@hourly', 'poll')).path).toBe('register: taskId of the defaults');
  });

  it.each([
    ['* * * * * *', { unique: '1h' }, 'at most 1s, the shortest time between two ticks of "* * * * * *", got "1h": a'],
    ['*/5 * * * *', { unique: '301s' }, 'at most 5m, the shortest time between two ticks of "*/5 * * * *", got "301s"'],
    [
      '@every 90m',
      { unique: 5_400_001 },
      'at most 1h30m, the shortest time between two ticks of "@every 90m", got 1h30m',
    ],
    ['0 9,10 * * mon', { unique: '2h' }, 'at most 1h, '],
    [
      '@daily',
      { unique: '24h', processIn: '1h' },
      'at most 23h, the shortest time between two ticks of "@daily" minus pro',
    ],
    [
      '@hourly',
      { unique: '1s', processIn: '2h' },
      'left out: processIn alone takes the shortest time between two ticks',
    ],
  ] as const)('refuses for %s %j', (spec, options, words) => {
    const scheduler = test.create();
    const { path, message } = refusal(scheduler, () => scheduler.register(spec, 'poll', undefined, options));
    expect(path).toBe('register: options.unique');
    expect(message).toContain(`register: options.unique must be ${words}`);
    expect(message).toMatch(/With overlap: 'skip' a tick enqueues nothing while/);
  });

  it('refuses a unique of the definition or the defaults, and says where it is from', () => {
    const Poll = defineTask('poll', { unique: '2h' });
    const scheduler = test.create();
    expect(refusal(scheduler, () => scheduler.register('@hourly', Poll)).message).toMatch(
      /^register: unique of the definition "poll" must be at most 1h, .* got 2h: /,
    );
    const locked = test.create({ defaults: { unique: '1d' } });
    expect(refusal(locked, () => locked.register('@hourly', 'poll')).message).toMatch(
      /^register: unique of the defaults must be at most 1h, .* got 24h: /,
    );
    expect(locked.register('@hourly', 'poll', undefined, { unique: '1h' })).toBeDefined();
  });

  it.each([
    ['* * * * * *', { unique: '1s' }],
    ['*/5 * * * *', { unique: '5m' }],
    ['CRON_TZ=Europe/Berlin 0 9 * * *', { unique: '24h' }],
    ['@daily', { unique: '23h', processIn: '1h' }],
    ['@monthly', { unique: '28d' }],
    ['0 0 31 2 *', { unique: '1000d' }],
  ] as const)('takes %s with %j', (spec, options) => {
    const scheduler = test.create();
    scheduler.register(spec, 'poll', undefined, options);
    expect(scheduler.schedules()).toHaveLength(1);
  });

  it('warns once about a schedule that never ticks', async () => {
    const scheduler = test.create();
    await scheduler.start();
    const id = scheduler.register('0 0 31 2 *', 'never');
    scheduler.register('0 0 29 2 *', 'rarely');
    await test.time.advance('1h');
    expect(test.logger.messages('warn')).toEqual([
      `Schedule ${id} never ticks: no date of the next five years matches "0 0 31 2 *"`,
    ]);
  });
});
