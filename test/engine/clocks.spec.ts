import { AsynqClient } from '../../lib/engine/client/asynq-client.js';
import { silentLogger } from '../../lib/engine/logger.js';
import { openBroker } from '../../lib/engine/open-broker.js';
import { AsynqScheduler } from '../../lib/engine/scheduler/asynq-scheduler.js';
import { systemClock } from '../../lib/engine/system-clock.js';
import { RecordingLogger } from '../support/recording-logger.js';
import { startRedis } from '../support/redis-server.js';
import { SkewedClock } from '../support/skewed-clock.js';
import { until } from '../support/until.js';

const warning = /^The clock of this machine is 15\.\d s ahead of that of Redis: /;

describe('a client with a wrong clock', () => {
  it('says so when it connects, and works', async () => {
    const redis = await startRedis();
    const clock = new SkewedClock(systemClock);
    clock.offset = 15_000;
    const logger = new RecordingLogger();
    const client = new AsynqClient({ redis: redis.url, clock, logger });
    await client.enqueue('a');
    await until('it says so', () => logger.messages('warn').length > 0);
    expect(logger.messages('warn')).toEqual([expect.stringMatching(warning)]);
    await client.close();
    await redis.stop();
  });

  it('leaves that to the owner of a shared broker', async () => {
    const redis = await startRedis();
    const clock = new SkewedClock(systemClock);
    clock.offset = 15_000;
    const logger = new RecordingLogger();
    const broker = openBroker(redis.url, { clock: systemClock, logger: silentLogger });
    const client = new AsynqClient({ broker, clock, logger });
    await client.enqueue('a');
    await client.ping();
    expect(logger.messages()).toEqual([]);
    await client.close();
    await broker.close();
    await redis.stop();
  });
});

describe('a scheduler with a wrong clock', () => {
  it('says so, and says when it is right again', async () => {
    const redis = await startRedis();
    const clock = new SkewedClock(systemClock, 50);
    clock.offset = 15_000;
    const logger = new RecordingLogger();
    const scheduler = new AsynqScheduler({ redis: redis.url, clock, logger });
    const heard: string[] = [];
    scheduler.events.on('clockOff', ({ tasks }) => heard.push(`off, tasks are ${tasks}`));
    scheduler.events.on('clockRight', () => heard.push('right'));
    await scheduler.start();
    await until('it says so', () => heard.length > 0);
    clock.offset = 0;
    await until('it says that too', () => heard.length > 1);
    expect(heard).toEqual(['off, tasks are taken', 'right']);
    expect(logger.messages('warn')).toEqual([expect.stringMatching(warning)]);
    await scheduler.shutdown();
    await redis.stop();
  });
});
