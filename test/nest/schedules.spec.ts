import { Injectable, type OnModuleInit } from '@nestjs/common';
import {
  AsynqModule,
  type AsynqModuleOptions,
  AsynqScheduler,
  Cron,
  getSchedulerToken,
  InjectScheduler,
  ScheduleNotFoundError,
} from '../../lib/index.js';
import { rawClient, useOwnRedis } from '../support/redis-server.js';
import { aGate, until } from '../support/until.js';
import { aQueue, cleanUp, nextEvent, options } from './support.js';
import { SharedTime, startTimedApp } from './timed-app.js';

useOwnRedis();

afterEach(cleanUp);

@Injectable()
class Backups {
  runs = 0;

  @Cron('0 2 * * *')
  backup() {
    this.runs += 1;
  }
}

function startBackups(given: AsynqModuleOptions, time?: SharedTime) {
  return startTimedApp({ imports: [AsynqModule.forRoot(given)], providers: [Backups] }, time);
}

async function pendingIn(queue: string): Promise<number> {
  const redis = rawClient();
  const count = await redis.llen(`asynq:{${queue}}:pending`);
  redis.disconnect();
  return count;
}

describe('schedules of an application', () => {
  it.each(['Redis', 'memory'])('tick once for all replicas, in %s', async (storage) => {
    const time = new SharedTime();
    const queue = aQueue();
    const given = options(queue, storage === 'memory' ? { redis: `memory:${queue}` } : {});
    @Injectable()
    class Often {
      runs = 0;
      @Cron('*/10 * * * * *')
      run() {
        this.runs += 1;
      }
    }
    const imports = [AsynqModule.forRoot(given)];
    const replicas = [
      await startTimedApp({ imports, providers: [Often] }, time),
      await startTimedApp({ imports, providers: [Often] }, time),
      await startTimedApp({ imports, providers: [Often] }, time),
    ];
    const runs = (): number => replicas.reduce((sum, { app }) => sum + app.get(Often).runs, 0);
    await time.clock.advance('1m');
    await until('every tick has run', () => runs() >= 6);
    await replicas[0]?.app.close();
    await time.clock.advance('1m');
    await until('every tick of the second minute has run', () => runs() >= 12);
    await time.clock.settle();
    expect(runs()).toBe(12);
  });

  it('make up for missed ticks, and call the hooks, as configured in the module', async () => {
    const time = new SharedTime();
    const told: unknown[] = [];
    const given = options(aQueue(), {
      scheduler: {
        catchUp: 'latest',
        postEnqueue: ({ task }) => told.push([task.scheduleId, task.tick?.toISOString()]),
      },
    });
    const first = await startBackups(given, time);
    await time.clock.advance('1m');
    await until('the first night has run', () => first.app.get(Backups).runs === 1);
    await first.app.close();
    time.clock.jump('72h');
    const second = await startBackups(given, time);
    await until('the last missed night has run', () => second.app.get(Backups).runs === 1);
    expect(told).toEqual([
      ['Backups.backup', '2026-03-01T02:00:00.000Z'],
      ['Backups.backup', '2026-03-04T02:00:00.000Z'],
    ]);
  });

  it('log their number at the start', async () => {
    const { log, scheduler } = await startBackups(options(aQueue()));
    expect(scheduler.status).toBe('active');
    expect(log.ofAsynq()).toContainEqual(expect.stringMatching(/^Scheduler started: redis:\/\/\S+; 1 schedule$/));
  });

  it('warn about a queue that the process does not serve', async () => {
    @Injectable()
    class Low {
      @Cron('0 2 * * *', { queue: 'low' })
      run() {}
    }
    const { log } = await startTimedApp({ imports: [AsynqModule.forRoot(options(aQueue()))], providers: [Low] });
    const warnings = log.lines.filter(({ level }) => level === 'warn').map(({ message }) => message);
    expect(warnings).toEqual(['Schedule "Low.run" enqueues to the queue "low", which server.queues does not list']);
  });

  it('do not start the scheduler when there are none', async () => {
    const queue = aQueue();
    const test = await startTimedApp({ imports: [AsynqModule.forRoot(options(queue))] });
    expect(test.scheduler.status).toBe('new');
    expect(test.log.ofAsynq()).toEqual([expect.stringContaining('no task handler was found')]);
    expect(test.clock.armedTimers).toBe(0);
  });

  it.each([
    ['producer', 'new', ['The role is "producer": this process schedules nothing']],
    ['worker', 'new', ['The role is "worker": this process schedules nothing']],
    ['scheduler', 'active', []],
  ] as const)('tick in the role of a scheduler: as %s the scheduler is %s', async (role, status, lines) => {
    const queue = aQueue();
    const test = await startBackups(options(queue, { role }));
    expect(test.scheduler.status).toBe(status);
    expect(test.log.ofAsynq().filter((line) => line.includes('schedules nothing'))).toEqual(lines);
    await test.clock.advance('1m');
    expect(await pendingIn(queue)).toBe(role === 'scheduler' ? 1 : 0);
    expect(test.app.get(Backups).runs).toBe(0);
  });

  it('never tick with scheduler: false, and can be listed and run by hand there', async () => {
    const test = await startBackups(options(aQueue(), { scheduler: false }));
    await test.clock.advance('1m');
    expect(test.scheduler.schedules()).toMatchObject([{ id: 'Backups.backup', next: undefined }]);
    expect(test.app.get(Backups).runs).toBe(0);
    const completed = nextEvent(test, { event: 'completed' });
    const { id } = await test.scheduler.runNow('Backups.backup');
    expect((await completed).task.id).toBe(id);
  });

  it('are disabled by configuration; waiting tasks are handled', async () => {
    const test = await startBackups(options(aQueue(), { scheduler: { disabled: ['Backups.backup'] } }));
    expect(test.scheduler.schedules()).toEqual([]);
    await test.clock.advance('1m');
    expect(test.app.get(Backups).runs).toBe(0);
    const completed = nextEvent(test, { event: 'completed' });
    await test.client.enqueue('cron:Backups.backup');
    await completed;
    expect(test.app.get(Backups).runs).toBe(1);
  });

  it('are listed, and run on request in addition to their ticks', async () => {
    const test = await startBackups(options(aQueue()));
    const [entry] = test.scheduler.schedules();
    expect(entry).toMatchObject({ id: 'Backups.backup', spec: '0 2 * * *', type: 'cron:Backups.backup' });
    expect(entry?.next).toEqual(new Date('2026-03-01T02:00:00Z'));
    await test.scheduler.runNow('Backups.backup');
    await test.clock.advance('1m');
    await until('both have run', () => test.app.get(Backups).runs === 2);
  });

  it('are added and removed at run time; the first one starts the scheduler', async () => {
    const queue = aQueue();
    const given = options(queue, { server: false });
    const test = await startTimedApp({ imports: [AsynqModule.forRoot(given)] });
    const id = test.scheduler.register('@every 10s', 'poll', { of: 1 });
    await test.clock.advance('10s');
    expect(test.scheduler.status).toBe('active');
    expect(await pendingIn(queue)).toBe(1);
    test.scheduler.unregister(id);
    await test.clock.advance('20s');
    expect(await pendingIn(queue)).toBe(1);
    expect(() => test.scheduler.unregister(id)).toThrow(ScheduleNotFoundError);
  });

  it('may be registered from the first hook of a provider onwards', async () => {
    const queue = aQueue('billing');
    @Injectable()
    class Invoices implements OnModuleInit {
      constructor(@InjectScheduler('billing') readonly schedules: AsynqScheduler) {}
      onModuleInit() {
        this.schedules.register('0 2 * * *', 'invoice:send');
      }
    }
    const registered = AsynqModule.forRoot({ ...options(queue, { server: false }), name: 'billing' });
    const imports = [AsynqModule.forRoot(options(aQueue(), { server: false })), registered];
    const { app, clock } = await startTimedApp({ imports, providers: [Invoices] });
    expect(app.get(Invoices).schedules).toBe(app.get(getSchedulerToken('billing')));
    await clock.advance('1m');
    expect(await pendingIn(queue)).toBe(1);
  });

  it('stop before handlers are drained', async () => {
    const gate = aGate();
    const started = aGate();
    const queue = aQueue();
    @Injectable()
    class Slow {
      @Cron('*/5 * * * * *')
      async run() {
        started.open();
        await gate.opened;
      }
    }
    const test = await startTimedApp({ imports: [AsynqModule.forRoot(options(queue))], providers: [Slow] });
    await test.clock.advance('5s');
    await started.opened;
    const closing = test.app.close();
    await until('the scheduler is closed', () => test.scheduler.status === 'closed');
    await test.clock.advance('5s');
    expect(await pendingIn(queue)).toBe(0);
    gate.open();
    await closing;
    const ends = test.log.ofAsynq().filter((line) => /shut(ting)? down/i.test(line));
    expect(ends).toEqual(['Scheduler shut down', 'Shutting down', 'Shut down']);
  });
});
