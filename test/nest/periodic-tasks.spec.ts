import { Inject, Injectable, Scope } from '@nestjs/common';
import {
  AsynqModule,
  type PeriodicTask,
  type PeriodicTaskProvider,
  ProvidesPeriodicTasks,
  type Task,
  TaskHandler,
} from '../../lib/index.js';
import { until } from '../support/until.js';
import { aQueue, cleanUp, options } from './support.js';
import { startTimedApp } from './timed-app.js';
import { useOwnRedis } from '../support/redis-server.js';

useOwnRedis();

afterEach(cleanUp);

const table = Symbol('table');

interface Table {
  rows: readonly PeriodicTask[] | Error;
  asked: number;
}

function aTable(rows: Table['rows']): Table {
  return { rows, asked: 0 };
}

function ask(given: Table): readonly PeriodicTask[] {
  given.asked += 1;
  if (given.rows instanceof Error) throw given.rows;
  return given.rows;
}

@Injectable()
class Reports implements PeriodicTaskProvider {
  readonly sent: unknown[] = [];

  constructor(@Inject(table) private readonly given: Table) {}

  @ProvidesPeriodicTasks({ syncInterval: '20s' })
  async getTasks() {
    return ask(this.given);
  }

  @TaskHandler('report:send')
  send(task: Task) {
    this.sent.push(task.payload);
  }
}

function start(given: Table, more: Parameters<typeof options>[1] = {}) {
  const imports = [AsynqModule.forRoot(options(aQueue(), more))];
  return startTimedApp({ imports, providers: [Reports, { provide: table, useValue: given }] });
}

const every = (spec: string, of: string): PeriodicTask => ({ spec, task: 'report:send', payload: { of } });

describe('@ProvidesPeriodicTasks', () => {
  it('registers the schedules that the method returns, and follows later changes', async () => {
    const given = aTable([every('*/10 * * * * *', 'a')]);
    const test = await start(given);
    const { sent } = test.app.get(Reports);
    await test.clock.advance('10s');
    await until('the first has run', () => sent.length === 1);
    given.rows = [every('0 2 * * *', 'b')];
    await test.clock.advance('10s');
    expect(given.asked).toBe(2);
    expect(test.scheduler.schedules()).toMatchObject([{ spec: '0 2 * * *' }]);
    await test.clock.advance('40s');
    await until('the later one has run', () => sent.some((payload) => (payload as { of: string }).of === 'b'));
  });

  it('starts the scheduler once there is something to schedule', async () => {
    const given = aTable([]);
    const test = await start(given);
    expect(test.scheduler.status).toBe('new');
    given.rows = [every('0 2 * * *', 'a')];
    await test.clock.advance('20s');
    expect(test.scheduler.status).toBe('active');
  });

  it('keeps the last schedules while the method fails, and says so', async () => {
    const given = aTable([every('0 2 * * *', 'a')]);
    const test = await start(given);
    given.rows = new Error('the database is away');
    await test.clock.advance('20s');
    expect(test.scheduler.schedules()).toHaveLength(1);
    expect(test.log.ofAsynq()).toContainEqual(expect.stringContaining('the database is away'));
  });

  it('fails the start of the application when it fails at first', async () => {
    await expect(start(aTable(new Error('the database is away')))).rejects.toThrow('the database is away');
  });

  it('calls no method in a process that does not schedule', async () => {
    const given = aTable([every('0 2 * * *', 'a')]);
    const test = await start(given, { role: 'worker' });
    expect(given.asked).toBe(0);
    expect(test.log.ofAsynq()).toContain('The role is "worker": this process schedules nothing');
  });

  it('calls no method once the application has closed', async () => {
    const given = aTable([every('0 2 * * *', 'a')]);
    const test = await start(given);
    await test.app.close();
    await test.clock.advance('1m');
    expect(given.asked).toBe(1);
    expect(test.clock.armedTimers).toBe(0);
  });

  it('works on a request-scoped provider, created anew each time', async () => {
    const made: unknown[] = [];
    @Injectable({ scope: Scope.REQUEST })
    class Fresh {
      @ProvidesPeriodicTasks({ syncInterval: '20s' })
      getTasks() {
        made.push(this);
        return [every('0 2 * * *', 'a')];
      }
    }
    const imports = [AsynqModule.forRoot(options(aQueue()))];
    const test = await startTimedApp({ imports, providers: [Fresh] });
    await test.clock.advance('20s');
    expect(made).toHaveLength(2);
    expect(made[0]).not.toBe(made[1]);
  });
});
