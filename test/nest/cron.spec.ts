import { Inject, Injectable, ParseIntPipe, Scope } from '@nestjs/common';
import { REQUEST } from '@nestjs/core';
import {
  AsynqModule,
  Cron,
  CurrentTask,
  defineTask,
  SnoozeError,
  type Task,
  TaskHandler,
  TaskPayload,
} from '../../lib/index.js';
import { until } from '../support/until.js';
import { aQueue, cleanUp, nextEvent, options } from './support.js';
import { startTimedApp, type TimedApp } from './timed-app.js';
import { useOwnRedis } from '../support/redis-server.js';

useOwnRedis();

afterEach(cleanUp);

/** Moves time on to two o'clock, and waits for the task of that tick. */
async function untilTwo(test: TimedApp, type?: string): Promise<void> {
  const completed = nextEvent(test, { event: 'completed', ...(type === undefined ? {} : { type }) });
  await test.clock.advance('1m');
  await completed;
}

describe('@Cron', () => {
  it('runs the method at each tick, with a task of a type that names it', async () => {
    const tasks: Task[] = [];
    @Injectable()
    class Backups {
      @Cron('0 2 * * *')
      backup(task: Task) {
        tasks.push(task);
      }
    }
    const test = await startTimedApp({ imports: [AsynqModule.forRoot(options(aQueue()))], providers: [Backups] });
    await test.clock.advance('59s');
    expect(tasks).toEqual([]);
    await untilTwo(test);
    expect(tasks.map(({ type, payload }) => ({ type, payload }))).toEqual([
      { type: 'cron:Backups.backup', payload: undefined },
    ]);
  });

  it('enqueues with its options, over those of the client', async () => {
    const tasks: Task[] = [];
    const queue = aQueue();
    @Injectable()
    class Backups {
      @Cron('0 2 * * *', {
        id: 'nightly',
        type: 'backup:run',
        payload: { full: true },
        maxRetry: 7,
        timeout: '10m',
        headers: { origin: 'cron' },
      })
      backup(task: Task) {
        tasks.push(task);
      }
    }
    const test = await startTimedApp({ imports: [AsynqModule.forRoot(options(queue))], providers: [Backups] });
    expect(test.scheduler.schedules()).toMatchObject([{ id: 'nightly', type: 'backup:run', queue, timeZone: 'UTC' }]);
    await untilTwo(test);
    expect(tasks).toMatchObject([
      { type: 'backup:run', payload: { full: true }, queue, maxRetry: 7, headers: { origin: 'cron' } },
    ]);
    expect(tasks[0]?.deadline.getTime()).toBe(test.clock.now() + 600_000);
  });

  it('takes the zone of its option, else the one of the module', async () => {
    @Injectable()
    class Backups {
      @Cron('0 2 * * *')
      first() {}

      @Cron('0 2 * * *', { timeZone: 'Asia/Ho_Chi_Minh' })
      second() {}
    }
    const registered = AsynqModule.forRoot(options(aQueue(), { scheduler: { timeZone: 'Europe/Berlin' } }));
    const { scheduler } = await startTimedApp({ imports: [registered], providers: [Backups] });
    expect(scheduler.schedules().map(({ next }) => next?.toISOString())).toEqual([
      '2026-03-02T01:00:00.000Z',
      '2026-03-01T19:00:00.000Z',
    ]);
  });

  it('takes spec and options from providers', async () => {
    const settings = Symbol('settings');
    @Injectable()
    class Backups {
      @Cron(
        { inject: [settings], useFactory: (given: { spec: string }) => given.spec },
        { payload: { inject: [settings], useFactory: (given: { keep: number }) => ({ keep: given.keep }) } },
      )
      backup() {}

      @Cron('0 2 * * *', { inject: [settings], useFactory: () => ({ enabled: false }) })
      other() {}
    }
    const test = await startTimedApp({
      imports: [AsynqModule.forRoot(options(aQueue()))],
      providers: [Backups, { provide: settings, useValue: { spec: '@every 30s', keep: 3 } }],
    });
    expect(test.scheduler.schedules()).toMatchObject([{ id: 'Backups.backup', spec: '@every 30s' }]);
  });

  it('creates a request-scoped provider for each task', async () => {
    const seen: unknown[] = [];
    @Injectable({ scope: Scope.REQUEST })
    class Backups {
      constructor(@Inject(REQUEST) private readonly task: Task) {}

      @Cron('*/30 * * * * *')
      backup(task: Task) {
        seen.push(this, this.task === task);
      }
    }
    const test = await startTimedApp({ imports: [AsynqModule.forRoot(options(aQueue()))], providers: [Backups] });
    await test.clock.advance('30s');
    await until('the first has run', () => seen.length === 2);
    await test.clock.advance('30s');
    await until('the second has run', () => seen.length === 4);
    expect([seen[1], seen[3]]).toEqual([true, true]);
    expect(seen[0]).not.toBe(seen[2]);
  });

  it('passes decorated parameters what they request', async () => {
    const seen: unknown[] = [];
    @Injectable()
    class CleanUp {
      @Cron('0 2 * * *', { payload: { keepDays: '30' } })
      clean(@TaskPayload('keepDays', ParseIntPipe) keepDays: number, @CurrentTask() task: Task) {
        seen.push(keepDays, task.type);
      }
    }
    await untilTwo(await startTimedApp({ imports: [AsynqModule.forRoot(options(aQueue()))], providers: [CleanUp] }));
    expect(seen).toEqual([30, 'cron:CleanUp.clean']);
  });

  it('may be used several times on one method, and together with @TaskHandler', async () => {
    const payloads: string[] = [];
    const report = defineTask<{ readonly to: string }>('report:send');
    @Injectable()
    class Reports {
      @TaskHandler(report)
      @Cron('0 2 * * *', { id: 'berlin', type: report, payload: { to: 'Berlin' } })
      @Cron('0 2 * * *', { id: 'tokyo', type: report, payload: { to: 'Tokyo' } })
      send(task: Task<{ readonly to: string }>) {
        payloads.push(task.payload.to);
      }
    }
    const test = await startTimedApp({ imports: [AsynqModule.forRoot(options(aQueue()))], providers: [Reports] });
    await test.clock.advance('1m');
    await until('both have run', () => payloads.length === 2);
    expect(payloads.toSorted()).toEqual(['Berlin', 'Tokyo']);
  });

  it('skips a tick while the task of an earlier one has not ended, with overlap: skip', async () => {
    let runs = 0;
    @Injectable()
    class Slow {
      @Cron('*/30 * * * * *', { overlap: 'skip' })
      run() {
        runs += 1;
        throw new SnoozeError('45s');
      }
    }
    const test = await startTimedApp({ imports: [AsynqModule.forRoot(options(aQueue()))], providers: [Slow] });
    const skipped: unknown[] = [];
    test.scheduler.events.on('scheduleSkipped', ({ reason, tick }) => skipped.push([reason, tick]));
    await test.clock.advance('30s');
    await until('it has run', () => runs === 1);
    await test.clock.advance('30s');
    expect(skipped).toEqual([['overlaps', test.clock.now()]]);
  });

  it('belongs to the instance that it names', async () => {
    const queues: string[] = [];
    @Injectable()
    class Invoices {
      @Cron('0 2 * * *', { instance: 'billing' })
      send(task: Task) {
        queues.push(task.queue);
      }
    }
    const billing = aQueue('billing');
    const imports = [
      AsynqModule.forRoot(options(aQueue())),
      AsynqModule.forRoot({ ...options(billing), name: 'billing' }),
    ];
    const test = await startTimedApp({ imports, providers: [Invoices] });
    expect(test.scheduler.schedules()).toEqual([]);
    await test.clock.advance('1m');
    await until('it has run', () => queues.length === 1);
    expect(queues).toEqual([billing]);
  });
});
