import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import request from 'supertest';
import { AsynqClient, AsynqServer, InvalidPayloadError, type TaskEvents } from 'nestjs-asynq';
import type { RunningRedisServer } from '../../scripts/redis-server.mjs';
import { AppModule } from '../../sample/01-email/src/app.module.js';
import { MAIL_FOLDER } from '../../sample/01-email/src/mail/mailer.service.js';
import { rawClient, startRedis } from '../support/redis-server.js';
import { until } from '../support/until.js';

let redis: RunningRedisServer;
let folder: string;
let app: INestApplication;
const completed: TaskEvents['completed'][] = [];
const retries: TaskEvents['retry'][] = [];
const archived: TaskEvents['archived'][] = [];

beforeAll(async () => {
  redis = await startRedis();
  process.env['REDIS_URL'] = redis.url;
  folder = await mkdtemp(join(tmpdir(), 'asynq-mails-'));
  const module = await Test.createTestingModule({ imports: [AppModule] })
    .overrideProvider(MAIL_FOLDER)
    .useValue(folder)
    .compile();
  app = module.createNestApplication({ logger: false });
  await app.init();
  const { events } = app.get(AsynqServer);
  events.on('completed', (event) => void completed.push(event));
  events.on('retry', (event) => void retries.push(event));
  events.on('archived', (event) => void archived.push(event));
});

afterAll(async () => {
  await app?.close();
  await redis?.stop();
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  delete process.env['REDIS_URL'];
});

describe('sample 01-email', () => {
  it('answers a sign-up at once and mails the welcome', async () => {
    const { status, tasks } = await signUp({ email: 'ada@example.com', name: 'Ada' });
    expect(status).toBe(202);
    expect(tasks).toMatchObject([
      { type: 'email:welcome', queue: 'critical', state: 'pending' },
      { type: 'email:tips', queue: 'default', state: 'scheduled' },
      { type: 'contacts:add', queue: 'default', state: 'pending' },
    ]);

    const id = idOf('email:welcome', tasks);
    await until('the welcome is mailed', () => completed.some(({ task }) => task.id === id));
    const mail = await readFile(join(folder, `welcome-${id}.eml`), 'utf8');
    expect(mail).toContain('To: ada@example.com');
    expect(mail).toContain('Subject: Welcome, Ada!');
  });

  it('keeps the tips for the next day', async () => {
    const before = Date.now();
    const { tasks } = await signUp({ email: 'grace@example.com', name: 'Grace' });
    const tips = tasks.find(({ type }) => type === 'email:tips');
    const wait = Date.parse(tips?.runsAt ?? '') - before;
    expect(wait).toBeGreaterThanOrEqual(86_400_000);
    expect(wait).toBeLessThan(86_400_000 + 60_000);

    const client = rawClient(redis.url);
    expect(await client.zscore('asynq:{default}:scheduled', tips?.id ?? '')).not.toBeNull();
    client.disconnect();
    expect((await readdir(folder)).filter((name) => name.startsWith('tips'))).toEqual([]);
  });

  // Takes two seconds: the sample's retry delay is one.
  it('adds a contact at the third try', async () => {
    const { tasks } = await signUp({ email: 'joan@example.com', name: 'Joan' });
    const id = idOf('contacts:add', tasks);
    await until('the contact is added', () => completed.some(({ task }) => task.id === id));

    const own = retries.filter(({ task }) => task.id === id);
    expect(own.map(({ task }) => task.retried)).toEqual([1, 2]);
    expect(own.map(({ error }) => (error as Error).message)).toEqual([
      '503 Service Unavailable (call 1)',
      '503 Service Unavailable (call 2)',
    ]);
    const client = rawClient(redis.url);
    expect(await client.hget(`asynq:{default}:t:${id}`, 'result')).toBe('{"calls":3}');
    client.disconnect();
  });

  it('archives a mail whose payload the pipe refuses, without a retry', async () => {
    const payload = { email: 'nobody', name: '' };
    const { id } = await app.get(AsynqClient).enqueue('email:welcome', payload, { queue: 'critical' });
    await until('it is archived', () => archived.some(({ task }) => task.id === id));
    expect(archived).toMatchObject([{ task: { id, retried: 0 }, error: expect.any(InvalidPayloadError) }]);
    expect((archived[0]?.error as Error | undefined)?.message).toMatch(/email must be an email/);
  });

  it('refuses a sign-up without an address', async () => {
    const { status } = await request(app.getHttpServer()).post('/signup').send({ email: 'nobody', name: 'Nobody' });
    expect(status).toBe(400);
  });
});

interface EnqueuedTask {
  readonly id: string;
  readonly type: string;
  readonly runsAt: string;
}

async function signUp(user: object): Promise<{ status: number; tasks: readonly EnqueuedTask[] }> {
  const { status, body } = await request(app.getHttpServer()).post('/signup').send(user);
  return { status, tasks: body as readonly EnqueuedTask[] };
}

function idOf(type: string, tasks: readonly EnqueuedTask[]): string {
  return tasks.find((task) => task.type === type)?.id ?? '';
}
