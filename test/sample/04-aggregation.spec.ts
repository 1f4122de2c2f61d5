import type { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { AsynqServer, type EngineEvents } from 'nestjs-asynq';
import request from 'supertest';
import { AppModule } from '../../sample/04-aggregation/src/app.module.js';
import { Outbox } from '../../sample/04-aggregation/src/digest/outbox.service.js';
import type { RunningRedisServer } from '../../scripts/redis-server.mjs';
import { startRedis } from '../support/redis-server.js';
import { until } from '../support/until.js';

let redis: RunningRedisServer;
let app: INestApplication;
const aggregated: EngineEvents['aggregated'][] = [];

beforeAll(async () => {
  redis = await startRedis();
  process.env['REDIS_URL'] = redis.url;
  const module = await Test.createTestingModule({ imports: [AppModule] }).compile();
  app = module.createNestApplication({ logger: false });
  await app.init();
  app.get(AsynqServer).events.on('aggregated', (event) => void aggregated.push(event));
});

afterAll(async () => {
  await app?.close();
  await redis?.stop();
  delete process.env['REDIS_URL'];
});

describe('sample 04-aggregation', () => {
  // Takes three seconds: the sample's grace period.
  it('sends each user one mail about everything, and asks the size of a group first', async () => {
    for (const text of ['one', 'two', 'three']) {
      expect(await notify({ userId: 'ada', text })).toMatchObject({ status: 202, body: { group: 'digest:ada' } });
    }
    await notify({ userId: 'bob', text: 'only this' });
    for (let n = 0; n < 10; n += 1) await notify({ userId: 'joan', text: `line ${n}` });

    const outbox = app.get(Outbox);
    await until('all three have their mail', () => outbox.mails.length === 3, { within: '15s' });
    const mailTo = (user: string): readonly string[] =>
      (outbox.mails.find(({ userId }) => userId === user)?.text ?? '').split('\n').sort();
    expect(mailTo('ada')).toEqual(['- one', '- three', '- two']);
    expect(mailTo('bob')).toEqual(['- only this']);
    expect(mailTo('joan')).toHaveLength(10);
    expect(aggregated.map(({ group, size }) => `${group} ${size}`).sort()).toEqual([
      'digest:ada 3',
      'digest:bob 1',
      'digest:joan 10',
    ]);
  });

  it('refuses a notification without a text', async () => {
    expect(await notify({ userId: 'ada' })).toMatchObject({ status: 400 });
  });
});

async function notify(body: object): Promise<{ readonly status: number; readonly body: unknown }> {
  const { status, body: answer } = await request(app.getHttpServer()).post('/notifications').send(body);
  return { status, body: answer };
}
