import { AsynqScheduler } from '../../../lib/engine/scheduler/asynq-scheduler.js';
import type { ScheduleOptions } from '../../../lib/engine/scheduler/schedule.js';
import type { SchedulerOptions } from '../../../lib/engine/scheduler/scheduler-options.js';
import { sharedRedisUrl, useOwnRedis } from '../../support/redis-server.js';
import { watchLeaks } from '../../support/leak-check.js';
import { aGate } from '../../support/until.js';
import { SchedulersUnderTest } from '../scheduler-under-test.js';

useOwnRedis();

describe('the life of a scheduler', () => {
  let test: SchedulersUnderTest;
  beforeEach(async () => {
    test = await SchedulersUnderTest.open();
  });
  afterEach(async () => await test.close());

  it('S-136 refuses an empty spec on registration', () => {
    const scheduler = test.create();
    expect(() => scheduler.register('61 * * * *', 'task')).toThrow(
      expect.objectContaining({ code: 'ASYNQ_INVALID_CRON_SPEC', position: 1 }),
    );
    expect(() => scheduler.register('CRON_TZ=BST 0 2 * * *', 'task')).toThrow(
      expect.objectContaining({ code: 'ASYNQ_INVALID_CRON_SPEC', position: 9 }),
    );
    expect(scheduler.schedules()).toEqual([]);
  });

  it.each([
    ['a blank type', () => ['', undefined, {}], 'ASYNQ_INVALID_TASK'],
    ['a payload that cannot be encoded', () => ['task', 1n, {}], 'ASYNQ_INVALID_TASK'],
    ['an unknown option', () => ['task', undefined, { ovrlap: 'skip' }], 'ASYNQ_INVALID_OPTION'],
    ['a wrong option', () => ['task', undefined, { maxRetry: -1 }], 'ASYNQ_INVALID_OPTION'],
    ['a zone that does not exist', () => ['task', undefined, { timeZone: 'Mars/Base' }], 'ASYNQ_INVALID_OPTION'],
    ['a zone by its abbreviation', () => ['task', undefined, { timeZone: 'PST' }], 'ASYNQ_INVALID_OPTION'],
    ['a word for overlap that is none', () => ['task', undefined, { overlap: 'never' }], 'ASYNQ_INVALID_OPTION'],
  ] as const)('refuses %s when it is registered', (_, task, code) => {
    const scheduler = test.create();
    const [type, payload, options] = task() as unknown as [string, unknown, ScheduleOptions];
    expect(() => scheduler.register('@hourly', type, payload, options)).toThrow(expect.objectContaining({ code }));
  });

  it('has the same id for the same content in every process, and different ids for different content', () => {
    const register = (spec: string, type = 'task', payload: unknown = { a: 1 }, options = {}): string =>
      test.create().register(spec, type, payload, options);
    const id = register('0 2 * * *');
    expect(id).toMatch(/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/);
    expect(register('0 2 * * *')).toBe(id);
    const others = [
      register('0 3 * * *'),
      register('0 2 * * *', 'other'),
      register('0 2 * * *', 'task', { a: 2 }),
      register('0 2 * * *', 'task', null),
      test.create().register('0 2 * * *', 'task'),
      register('0 2 * * *', 'task', { a: 1 }, { maxRetry: 3 }),
      register('0 2 * * *', 'task', { a: 1 }, { headers: { a: 'b' } }),
      register('0 2 * * *', 'task', { a: 1 }, { timeZone: 'Asia/Tokyo' }),
    ];
    expect(new Set([id, ...others]).size).toBe(9);
  });

  it('refuses the same content twice, unless an id tells them apart', () => {
    const scheduler = test.create();
    scheduler.register('0 2 * * *', 'task');
    expect(() => scheduler.register('0 2 * * *', 'task')).toThrow(
      expect.objectContaining({ code: 'ASYNQ_SCHEDULE_CONFLICT' }),
    );
    scheduler.register('0 2 * * *', 'task', undefined, { id: 'twin' });
    expect(() => scheduler.register('0 4 * * *', 'task', undefined, { id: 'twin' })).toThrow(
      expect.objectContaining({ id: 'twin' }),
    );
    expect(scheduler.schedules()).toHaveLength(2);
  });

  it('S-137 cannot be started twice, nor after shutdown; a second shutdown is harmless', async () => {
    const scheduler = test.create();
    await scheduler.start();
    await expect(scheduler.start()).rejects.toMatchObject({ code: 'ASYNQ_INVALID_STATE' });
    await Promise.all([scheduler.shutdown(), scheduler.shutdown()]);
    await scheduler.shutdown();
    await expect(scheduler.start()).rejects.toMatchObject({ code: 'ASYNQ_INVALID_STATE' });
    expect(() => scheduler.register('@hourly', 'late')).toThrow(
      expect.objectContaining({ code: 'ASYNQ_INVALID_STATE' }),
    );
    await scheduler.ping();
    expect(scheduler.status).toBe('closed');
  });

  it('does nothing at a shutdown before the start, and can be started afterwards', async () => {
    const scheduler = test.create();
    await scheduler.shutdown();
    await scheduler.start();
    expect(scheduler.status).toBe('active');
  });

  it('S-138 publishes its schedules at the start, for twice the interval, until it is shut down', async () => {
    const scheduler = test.create({ heartbeatInterval: '30s' });
    scheduler.register('0 2 * * *', 'backup');
    await scheduler.start();
    await test.time.settle();
    expect(await test.published(scheduler)).toHaveLength(1);
    expect(await test.publishedFor(scheduler)).toBeGreaterThan(50_000);
    expect(await test.publishedFor(scheduler)).toBeLessThanOrEqual(60_000);
    await scheduler.shutdown();
    expect(await test.publishedFor(scheduler)).toBe(-2);
  });

  it('publishes again soon after a schedule was added or removed, and at the next heartbeat after a tick', async () => {
    const scheduler = test.create();
    await scheduler.start();
    const id = scheduler.register('@every 1s', 'poll');
    await test.time.advance('100ms');
    const next = Date.parse('2026-03-01T12:00:01Z');
    expect(await test.published(scheduler)).toMatchObject([
      { id, spec: '@every 1s', nextEnqueueAt: next, previousEnqueueAt: undefined },
    ]);
    await test.time.advance('10s');
    expect(await test.published(scheduler)).toMatchObject([{ previousEnqueueAt: next + 9_000 }]);
    scheduler.unregister(id);
    await test.time.advance('100ms');
    expect(await test.published(scheduler)).toEqual([]);
  });

  it('S-139 publishes the options as text, and the payload', async () => {
    const scheduler = test.create({ defaults: {} });
    scheduler.register('0 2 * * *', 'backup', { full: true }, { queue: test.queue, maxRetry: 2, timeout: '90s' });
    await scheduler.start();
    await test.time.settle();
    expect(await test.published(scheduler)).toMatchObject([
      {
        taskType: 'backup',
        taskPayload: Buffer.from('{"full":true}'),
        options: ['MaxRetry(2)', `Queue("${test.queue}")`, 'Timeout(1m30s)'],
      },
    ]);
  });

  it('S-140 S-141 records which task was enqueued and when, also past shutdown and removal', async () => {
    const scheduler = test.create();
    const id = scheduler.register('@every 1s', 'poll');
    const removed = scheduler.register('@every 1s', 'removed');
    await scheduler.start();
    await test.time.advance('2s');
    const ids = (await test.pending()).filter(({ type }) => type === 'poll').map((message) => message.id);
    scheduler.unregister(removed);
    await scheduler.shutdown();
    expect(await test.history(id)).toEqual([
      { taskId: ids[0], enqueuedAt: Date.parse('2026-03-01T12:00:01Z') },
      { taskId: ids[1], enqueuedAt: Date.parse('2026-03-01T12:00:02Z') },
    ]);
    expect(await test.history(removed)).toHaveLength(2);
  });

  it('waits on shutdown for an enqueue in progress, and starts no other', async () => {
    const gate = aGate();
    test.broker.faults.enqueueTick.push(gate.opened);
    const scheduler = test.create();
    scheduler.register('@every 1s', 'poll');
    await scheduler.start();
    await test.time.advance('1s');
    let isShut = false;
    const shutting = scheduler.shutdown().then(() => (isShut = true));
    await test.time.advance('5s');
    expect(isShut).toBe(false);
    gate.open();
    await shutting;
    expect(await test.pendingTypes()).toEqual(['poll']);
    expect(test.heard('scheduleEnqueued')).toHaveLength(1);
  });

  it('waits on shutdown for the history of a task that was stored in the meantime', async () => {
    const [storing, noting] = [aGate(), aGate()];
    test.broker.faults.enqueueTick.push(storing.opened);
    const { schedules } = test.broker;
    const recordEvent: typeof schedules.recordEvent = async (request) => {
      await noting.opened;
      await schedules.recordEvent(request);
    };
    const scheduler = test.create({ broker: { ...test.broker, schedules: { ...schedules, recordEvent } } });
    scheduler.register('@every 1s', 'poll');
    await scheduler.start();
    await test.time.advance('1s');
    let isShut = false;
    const shutting = scheduler.shutdown().then(() => (isShut = true));
    storing.open();
    await test.time.advance('1s');
    expect(isShut).toBe(false);
    noting.open();
    await shutting;
  });

  it('leaves nothing behind when it is shut down while it starts', async () => {
    const armed = test.time.armedTimers;
    const scheduler = test.create();
    scheduler.register('@every 1s', 'poll');
    await Promise.all([scheduler.start(), scheduler.shutdown()]);
    expect(test.time.armedTimers).toBe(armed);
    await test.time.advance('3s');
    expect(await test.pendingTypes()).toEqual([]);
  });

  it('does not wait on shutdown beyond its limit, and reports the ticks that it gives up', async () => {
    const scheduler = test.create({ shutdownTimeout: '2s' });
    scheduler.register('@every 1s', 'poll');
    await scheduler.start();
    test.broker.faults.enqueueTick.push(new Promise<void>(() => {}), 'lost-before');
    await test.time.advance('1s');
    await test.time.advance('1s');
    const shutting = scheduler.shutdown();
    await test.time.advance('2s');
    await shutting;
    expect(test.logger.messages('warn')).toContain(
      'The scheduler shuts down before all enqueues in progress have finished',
    );
    expect(test.heard('scheduleFailed').map(({ tick, outcome }) => [new Date(tick).getUTCSeconds(), outcome])).toEqual([
      [2, 'retry'],
      [2, 'drop'],
    ]);
  });

  it('S-146 leaves a shared connection open', async () => {
    const scheduler = test.create();
    await scheduler.start();
    await scheduler.shutdown();
    await test.broker.ping();
    expect(test.logger.messages('error')).toEqual([]);
  });

  it('leaves nothing behind with a connection of its own', async () => {
    await test.redis.ping();
    const leaks = watchLeaks();
    const scheduler = new AsynqScheduler({ redis: sharedRedisUrl() });
    scheduler.register('@yearly', 'rare', undefined, { queue: test.queue });
    await scheduler.start();
    await scheduler.ping();
    await scheduler.shutdown();
    await leaks.expectNone();
    const armed = test.time.armedTimers;
    const virtual = test.create();
    virtual.register('@yearly', 'rare');
    await virtual.start();
    await virtual.shutdown();
    expect(test.time.armedTimers).toBe(armed);
  });

  it.each([
    [{ timezone: 'UTC' }, 'AsynqScheduler: timezone is not an option; did you mean timeZone?'],
    [{ timeZone: 'Mars' }, `AsynqScheduler: timeZone must be an IANA time zone such as 'Europe/Berlin', got "Mars"`],
    [
      { timeZone: 'IST' },
      `AsynqScheduler: timeZone must be an IANA time zone, got "IST"; did you mean 'Asia/Kolkata'?`,
    ],
    [{ catchUp: 'some' }, `AsynqScheduler: catchUp must be one of 'skip', 'latest', 'all', got "some"`],
    [{ heartbeatInterval: 0 }, /heartbeatInterval must be .*longer than zero/],
    [{ preEnqueue: 'no' }, 'AsynqScheduler: preEnqueue must be a function, got "no"'],
    [{ defaults: { queue: '' } }, /AsynqScheduler: defaults.queue must be/],
  ])('refuses wrong options: %j', (options, message) => {
    expect(() => new AsynqScheduler(options as unknown as SchedulerOptions)).toThrow(message);
  });
});
