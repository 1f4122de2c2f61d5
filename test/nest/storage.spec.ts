import { Injectable } from '@nestjs/common';
import { AsynqModule, TaskHandler } from '../../lib/index.js';
import { queueKeys } from '../../lib/redis/keys.js';
import { rawClient } from '../support/redis-server.js';
import { until } from '../support/until.js';
import { aQueue, cleanUp, options, startApp } from './support.js';

afterEach(cleanUp);

@Injectable()
class Worker {
  @TaskHandler('work')
  work() {}
}

describe('an application logs what storage worked around', () => {
  it.each(['producer', 'scheduler', 'worker', 'all'] as const)('once, in the role "%s"', async (role) => {
    const queue = aQueue();
    const { pending } = queueKeys(queue);
    const redis = rawClient();
    const imports = [AsynqModule.forRoot(options(queue, { role }))];
    const { client, server, log } = await startApp({ imports, providers: [Worker] });
    const wrong: string[] = [];
    server.events.on('wrongType', ({ key }) => wrong.push(key));
    await redis.set(pending, 'not a list');
    for (let i = 0; i < 3; i += 1) await expect(client.enqueue('work', i, { unique: '1m' })).rejects.toThrow();
    await until('it is announced', () => wrong.includes(pending));
    expect(wrong.filter((key) => key === pending)).toEqual([pending]);
    expect(log.ofAsynq().filter((line) => line.startsWith(`Key "${pending}"`))).toHaveLength(1);
    await redis.del(pending);
    redis.disconnect();
  });
});
