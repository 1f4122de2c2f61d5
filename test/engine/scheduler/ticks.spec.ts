import { defineTask } from '../../../lib/model/task/task-definition.js';
import { aGate } from '../../support/until.js';
import { sharedRedisUrl, useOwnRedis } from '../../support/redis-server.js';
import { SchedulersUnderTest } from '../scheduler-under-test.js';

useOwnRedis();

describe('a scheduler', () => {
  let test: SchedulersUnderTest;
  beforeEach(async () => {
    test = await SchedulersUnderTest.open();
  });
  afterEach(async () => await test.close());

  it.each(['own', 'shared'])(
    'S-130 enqueues three tasks of @every 3s in ten seconds, its connection %s',
    async (kind) => {
      const scheduler = test.create(kind === 'own' ? { redis: sharedRedisUrl() } : {});
      await scheduler.ping();
      scheduler.register('@every 3s', 'poll');
      await scheduler.start();
      await test.time.advance('9s');
      // What an own connection does is seen by the events, not by the pings of the shared one.
      for (let turn = 0; turn < 200 && test.heard('scheduleEnqueued').length < 3; turn += 1) await test.time.settle();
      await test.time.advance('1s');
      expect(await test.pendingTypes()).toEqual(['poll', 'poll', 'poll']);
    },
  );

  it('S-131 enqueues with the options of the registration, which override those of the definition and the defaults', async () => {
    const report = defineTask<{ day: number }>('report', { maxRetry: 3, timeout: '1m' });
    const scheduler = test.create();
    scheduler.register('@every 1s', report, { day: 1 }, { maxRetry: 7, retention: '2h', headers: { by: 'clock' } });
    await scheduler.start();
    await test.time.advance('1s');
    const [message] = await test.pending();
    expect(message).toMatchObject({
      type: 'report',
      payload: Buffer.from('{"day":1}'),
      queue: test.queue,
      maxRetry: 7,
      timeoutSeconds: 60,
      retentionSeconds: 7_200,
      headers: { by: 'clock' },
    });
  });

  it('counts processIn from the tick', async () => {
    const scheduler = test.create();
    scheduler.register('0 * * * *', 'later', undefined, { processIn: '90s' });
    await scheduler.start();
    await test.time.advance('1h');
    const [, score] = await test.redis.zrange(test.keys.scheduled, 0, '-1', 'WITHSCORES');
    expect(Number(score)).toBe(Date.parse('2026-03-01T13:01:30Z') / 1_000);
  });

  it('enqueues nothing at the start, nor before the tick', async () => {
    const scheduler = test.create();
    scheduler.register('0 * * * *', 'hourly');
    await scheduler.start();
    await test.time.advance('3599999ms');
    expect(await test.pendingTypes()).toEqual([]);
    await test.time.advance('1ms');
    expect(await test.pendingTypes()).toEqual(['hourly']);
    expect(test.heard('scheduleEnqueued')).toMatchObject([{ tick: Date.parse('2026-03-01T13:00:00Z') }]);
  });

  it('S-133 enqueues nothing for an unregistered schedule, even if its tick waited for Redis', async () => {
    const scheduler = test.create();
    const ids = ['gone', 'waits', 'stays'].map((type) => scheduler.register('@every 1s', type));
    scheduler.unregister(ids[0] ?? '');
    test.broker.faults.enqueueTick.push('lost-before', 'lost-before');
    await scheduler.start();
    await test.time.advance('1s');
    scheduler.unregister(ids[1] ?? '');
    await test.time.advance('1s');
    expect(await test.pendingTypes()).toEqual(['stays', 'stays']);
    expect(scheduler.schedules().map(({ type }) => type)).toEqual(['stays']);
  });

  it('S-134 refuses to unregister or run an unknown id', async () => {
    const scheduler = test.create();
    expect(() => scheduler.unregister('nobody')).toThrow(expect.objectContaining({ code: 'ASYNQ_SCHEDULE_NOT_FOUND' }));
    await expect(scheduler.runNow('nobody')).rejects.toMatchObject({ code: 'ASYNQ_SCHEDULE_NOT_FOUND', id: 'nobody' });
  });

  it('S-135 S-144 calls the hooks once for each tick, with the task or the error', async () => {
    const told: unknown[] = [];
    const scheduler = test.create({
      preEnqueue: ({ type, tick }) => told.push(['pre', type, tick?.toISOString()]),
      postEnqueue: ({ info, error }) => told.push(['post', info?.state, (error as Error | undefined)?.name]),
    });
    // The lock goes by the server's time, which hardly moves on.
    scheduler.register('@every 2s', 'single', undefined, { unique: '2s' });
    await scheduler.start();
    await test.time.advance('4s');
    expect(told).toEqual([
      ['pre', 'single', '2026-03-01T12:00:02.000Z'],
      ['post', 'pending', undefined],
      ['pre', 'single', '2026-03-01T12:00:04.000Z'],
      ['post', undefined, 'DuplicateTaskError'],
    ]);
  });

  it('continues when a hook throws or rejects, and says so', async () => {
    const scheduler = test.create({
      preEnqueue: () => {
        throw new Error('no hands');
      },
      postEnqueue: async () => await Promise.reject(new Error('no feet')),
    });
    scheduler.register('@every 1s', 'poll');
    await scheduler.start();
    await test.time.advance('1s');
    expect(await test.pendingTypes()).toEqual(['poll']);
    expect(test.logger.messages('error')).toEqual(['preEnqueue failed: no hands', 'postEnqueue failed: no feet']);
  });

  it('S-145 does not let a slow enqueue delay other schedules, or the next tick of its own', async () => {
    const gate = aGate();
    test.broker.faults.enqueueTick.push(gate.opened);
    const scheduler = test.create();
    scheduler.register('@every 1s', 'slow');
    scheduler.register('@every 1s', 'quick');
    await scheduler.start();
    await test.time.advance('2s');
    expect(test.heard('scheduleEnqueued').map(({ schedule }) => schedule.type)).toEqual(['quick', 'slow', 'quick']);
    gate.open();
    await test.time.settle();
    expect(test.heard('scheduleEnqueued')).toHaveLength(4);
  });

  it('ticks for schedules that are added while it runs, and lists them', async () => {
    const scheduler = test.create({ timeZone: 'Asia/Tokyo' });
    await scheduler.start();
    await test.time.advance('500ms');
    const id = scheduler.register('0 22 * * *', 'late', undefined, { id: 'late-one', overlap: 'skip' });
    expect(id).toBe('late-one');
    await test.time.advance('1h');
    expect(await test.pendingTypes()).toEqual(['late']);
    expect(scheduler.schedules()).toEqual([
      {
        id: 'late-one',
        spec: '0 22 * * *',
        timeZone: 'Asia/Tokyo',
        type: 'late',
        queue: test.queue,
        catchUp: 'skip',
        overlap: 'skip',
        next: new Date('2026-03-02T13:00:00Z'),
        previous: new Date('2026-03-01T13:00:00Z'),
      },
    ]);
  });

  it('enqueues nothing while the task of an earlier tick has not ended, with overlap: skip', async () => {
    const scheduler = test.create();
    scheduler.register('@every 1s', 'long', undefined, { overlap: 'skip' });
    await scheduler.start();
    await test.time.advance('3s');
    expect(await test.pendingTypes()).toEqual(['long']);
    expect(test.heard('scheduleSkipped').map(({ reason }) => reason)).toEqual(['overlaps', 'overlaps']);
  });

  it('runs a schedule on request, in addition to its ticks', async () => {
    const told: unknown[] = [];
    const scheduler = test.create({ postEnqueue: ({ task, info }) => told.push([task.tick, info?.type]) });
    const id = scheduler.register('0 2 * * *', 'backup', { full: true });
    const info = await scheduler.runNow(id);
    expect(info).toMatchObject({ type: 'backup', queue: test.queue, state: 'pending' });
    expect(await test.pendingTypes()).toEqual(['backup']);
    expect(told).toEqual([[undefined, 'backup']]);
    expect((await test.history(id)).map(({ taskId }) => taskId)).toEqual([info.id]);
  });

  it('S-142 uses the zone of the spec, else its own zone, else UTC', async () => {
    const specs = ['0 2 * * *', 'CRON_TZ=Asia/Ho_Chi_Minh 0 2 * * *'];
    const scheduler = test.create();
    const abroad = test.create({ timeZone: 'America/New_York' });
    for (const spec of specs) for (const one of [scheduler, abroad]) one.register(spec, 'nightly');
    scheduler.register(specs[0] ?? '', 'nightly', undefined, { timeZone: 'Europe/Berlin' });
    await scheduler.start();
    await abroad.start();
    const next = (one: typeof scheduler): (string | undefined)[] =>
      one.schedules().map((entry) => entry.next?.toISOString());
    expect(next(scheduler)).toEqual([
      '2026-03-02T02:00:00.000Z',
      '2026-03-01T19:00:00.000Z',
      '2026-03-02T01:00:00.000Z',
    ]);
    expect(next(abroad)).toEqual(['2026-03-02T07:00:00.000Z', '2026-03-01T19:00:00.000Z']);
  });
});
