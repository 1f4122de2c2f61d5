import { AsynqScheduler } from '../../../lib/engine/scheduler/asynq-scheduler.js';
import { queueKeys } from '../../../lib/redis/keys.js';
import { rawClient, startRedis, useOwnRedis } from '../../support/redis-server.js';
import { until } from '../../support/until.js';

useOwnRedis();

describe('a scheduler and an outage of Redis', () => {
  // In real time, since the connection comes back in it: some seconds.
  it('starts without Redis, and loses no tick before Redis is there or while it is away', async () => {
    const redis = await startRedis({ appendonly: true });
    await redis.kill();
    const scheduler = new AsynqScheduler({ redis: redis.url });
    const ticks: number[] = [];
    scheduler.events.on('scheduleEnqueued', ({ tick }) => ticks.push(tick));
    scheduler.register('* * * * * *', 'task');
    await scheduler.start();
    const nextTick = (): number => scheduler.schedules()[0]?.next?.getTime() ?? 0;
    const aTickCame = async (): Promise<void> => {
      const next = nextTick();
      await until('a tick has come', () => nextTick() > next);
    };
    await aTickCame();
    await redis.start();
    await until('it was enqueued', () => ticks.length > 0);

    await redis.kill();
    await aTickCame();
    await redis.start();
    const last = nextTick();
    await until('all ticks are enqueued', () => ticks.includes(last));
    await scheduler.shutdown();

    const sorted = ticks.toSorted((a, b) => a - b);
    const first = sorted[0] ?? 0;
    expect(sorted).toEqual(Array.from({ length: sorted.length }, (_, index) => first + index * 1_000));
    const client = rawClient(redis.url);
    expect(await client.llen(queueKeys('default').pending)).toBe(sorted.length);
    client.disconnect();
    await redis.stop();
  });
});

describe('a scheduler in memory', () => {
  it('ticks, and shares its ticks with others in the process', async () => {
    const option = { redis: 'memory:scheduler-spec' };
    const fleet = [new AsynqScheduler(option), new AsynqScheduler(option)];
    const outcomes: string[] = [];
    for (const scheduler of fleet) {
      scheduler.events.on('scheduleEnqueued', ({ tick }) => outcomes.push(`enqueued ${tick}`));
      scheduler.events.on('scheduleSkipped', ({ tick, reason }) => outcomes.push(`${reason} ${tick}`));
      scheduler.register('* * * * * *', 'task');
      await scheduler.start();
    }
    await until('a tick has come to both', () => outcomes.length >= 2);
    const tick = outcomes[0]?.split(' ')[1];
    expect(outcomes.slice(0, 2)).toEqual([`enqueued ${tick}`, `taken ${tick}`]);
    for (const scheduler of fleet) await scheduler.shutdown();
  });
});
