import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Global, type INestApplication, Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { AsynqServer, type Broker, type TaskEvents } from 'nestjs-asynq';
import request from 'supertest';
import { systemParts } from '../../lib/nest/asynq-instance.js';
import { enginePartsToken } from '../../lib/nest/asynq.tokens.js';
import { AppModule } from '../../sample/03-scheduler/src/app.module.js';
import { Health } from '../../sample/03-scheduler/src/health/health.tasks.js';
import { ReminderTasks } from '../../sample/03-scheduler/src/reminders/reminder.tasks.js';
import { Settings } from '../../sample/03-scheduler/src/settings.js';
import type { RunningRedisServer } from '../../scripts/redis-server.mjs';
import { startRedis } from '../support/redis-server.js';
import { until } from '../support/until.js';
import { VirtualClock } from '../support/virtual-clock.js';

// One minute to two in the morning in Hanoi.
const clock = new VirtualClock({ now: '2026-03-01T18:59:00Z', settle: async () => await broker?.ping() });
let broker: Broker | undefined;

@Global()
@Module({
  providers: [
    {
      provide: enginePartsToken,
      useValue: {
        ...systemParts,
        clock,
        openBroker: (...given: Parameters<typeof systemParts.openBroker>) =>
          (broker = systemParts.openBroker(...given)),
      },
    },
  ],
  exports: [enginePartsToken],
})
class TimeModule {}

let redis: RunningRedisServer;
let folder: string;
let app: INestApplication;
const completed: TaskEvents['completed'][] = [];

beforeAll(async () => {
  redis = await startRedis();
  process.env['REDIS_URL'] = redis.url;
  folder = await mkdtemp(join(tmpdir(), 'asynq-backups-'));
  const settings: Settings = { folder, keepDays: 30, cleanUpSpec: '@hourly' };
  const module = await Test.createTestingModule({ imports: [TimeModule, AppModule] })
    .overrideProvider(Settings)
    .useValue(settings)
    .compile();
  app = module.createNestApplication({ logger: false });
  await app.init();
  app.get(AsynqServer).events.on('completed', (event) => void completed.push(event));
});

afterAll(async () => {
  await app?.close();
  await redis?.stop();
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  delete process.env['REDIS_URL'];
});

describe('sample 03-scheduler', () => {
  it('lists its schedules with their next ticks', async () => {
    const { body } = await request(app.getHttpServer()).get('/schedules');
    expect(body).toMatchObject([
      { id: 'Backups.backup', spec: '0 2 * * *', timeZone: 'Asia/Ho_Chi_Minh', next: '2026-03-01T19:00:00.000Z' },
      { id: 'CleanUp.removeOldBackups', spec: '@hourly', next: '2026-03-01T19:00:00.000Z' },
      { id: 'Health.check', spec: '@every 5m', next: '2026-03-01T19:00:00.000Z' },
    ]);
  });

  it('backs up, cleans up and checks on schedule', async () => {
    await writeFile(join(folder, 'ancient.json'), '{}');
    const longAgo = new Date(Date.now() - 40 * 86_400_000);
    await utimes(join(folder, 'ancient.json'), longAgo, longAgo);

    await clock.advance('1m');
    await until('all three have run', () => completed.length === 3);
    expect(completed.map(({ task }) => task.type).sort()).toEqual([
      'cron:Backups.backup',
      'cron:CleanUp.removeOldBackups',
      'cron:Health.check',
    ]);
    const [backup, ...others] = await readdir(folder);
    expect(others).toEqual([]);
    expect(backup).toMatch(/^backup-/);
    expect(JSON.parse(await readFile(join(folder, backup ?? ''), 'utf8'))).toHaveProperty('schedules');
    expect(app.get(Health).lastGood).toBeInstanceOf(Date);
  });

  it('runs a schedule now when it is asked to', async () => {
    const { status, body } = await request(app.getHttpServer()).post('/schedules/Backups.backup/run');
    expect(status).toBe(202);
    const { taskId } = body as { taskId: string };
    await until('it has run', () => completed.some(({ task }) => task.id === taskId));
    expect(await readdir(folder)).toContain(`backup-${taskId}.json`);
    expect((await request(app.getHttpServer()).post('/schedules/Nobody.knows/run')).status).toBe(404);
  });

  it('adds a reminder and removes it over HTTP', async () => {
    const { status, body } = await remind({ spec: '*/5 * * * * *', text: 'stretch' });
    expect(status).toBe(201);
    const { said } = app.get(ReminderTasks);
    await clock.advance('5s');
    await until('it is said', () => said.length === 1);
    expect((await remind({ spec: '*/5 * * * * *', text: 'stretch' })).status).toBe(409);

    const { id } = body as { id: string };
    expect((await request(app.getHttpServer()).delete(`/reminders/${id}`)).status).toBe(204);
    expect((await request(app.getHttpServer()).delete(`/reminders/${id}`)).status).toBe(404);
    await clock.advance('20s');
    expect(said).toEqual(['stretch']);
  });

  it('refuses a reminder whose spec is wrong, and says where', async () => {
    const { status, body } = await remind({ spec: '61 * * * *', text: 'never' });
    expect(status).toBe(400);
    expect((body as { message: string }).message).toMatch(/at column 1/);
  });
});

async function remind(reminder: object): Promise<{ readonly status: number; readonly body: unknown }> {
  const { status, body } = await request(app.getHttpServer()).post('/reminders').send(reminder);
  return { status, body };
}
