import { groupKey } from '../../../lib/redis/keys.js';
import { ServerUnderTest } from '../server-under-test.js';

describe('a server reports what storage worked around', () => {
  let test: ServerUnderTest;

  beforeEach(() => {
    test = ServerUnderTest.open({ time: 'virtual' });
  });
  afterEach(async () => {
    await test.close();
  });

  it('counts ids whose tasks are gone, handles the task behind them, and writes one line with the number', async () => {
    const ghosts = Array.from({ length: 500 }, (_, index) => `ghost-${index}`);
    await test.redis.rpush(test.keys.pending, ...ghosts);
    const id = await test.enqueue();
    await test.start(() => undefined);
    await test.untilHappened('completed');
    const dropped = test.happened('dropped').filter(({ queue }) => queue === test.queue);
    expect(dropped.reduce((total, { count }) => total + count, 0)).toBe(500);
    expect(dropped[0]).toMatchObject({ from: 'pending' });
    expect(await test.stateOf(id)).toBe('gone');

    await test.time.advance('31s');
    const lines = test.logger
      .messages('warn')
      .filter((line) => line.includes(`of queue "${test.queue}" (pending) lost`));
    const told = lines.map(
      (line) => Number(/^(\d+) task/.exec(line)?.[1]) + Number(/\(and (\d+) more/.exec(line)?.[1] ?? 0),
    );
    expect(told.reduce((total, count) => total + count, 0)).toBe(500);
    expect(lines.length).toBeLessThanOrEqual(2);
  });

  it('counts them separately by place, in a few lines each, and handles the tasks behind them at once', async () => {
    const { redis, keys, queue } = test;
    const longAgo = Math.floor(test.clock.now() / 1_000) - 600;
    const ghosts = (place: string): string[] => Array.from({ length: 2_500 }, (_, index) => `${place}-${index}`);
    const aged = (place: string): (string | number)[] => ghosts(place).flatMap((id) => [longAgo, id]);
    await redis.rpush(keys.pending, ...ghosts('pending'));
    for (const place of ['scheduled', 'retry', 'lease', 'completed'] as const) {
      await redis.zadd(keys[place], ...aged(place));
    }
    await redis.zadd(groupKey(keys, 'g'), ...aged('group'));
    await redis.sadd(keys.groups, 'g');
    await test.enqueue();
    const aggregator = (): never => {
      throw new Error('there is nothing to aggregate');
    };
    await test.start(() => undefined, { aggregator });
    await test.untilHappened('completed');
    await test.time.advance('2m');
    const counts: Record<string, number> = {};
    for (const { queue: of, from, count } of test.happened('dropped')) {
      if (of === queue) counts[from] = (counts[from] ?? 0) + count;
    }
    expect(counts).toEqual(
      Object.fromEntries(
        ['pending', 'scheduled', 'retry', 'lease', 'completed', 'group'].map((place) => [place, 2_500]),
      ),
    );
    for (const place of Object.keys(counts)) {
      const lines = test.logger.messages('warn').filter((line) => line.includes(`"${queue}" (${place}) lost`));
      expect([place, lines.length > 0, lines.length <= 3]).toEqual([place, true, true]);
    }
  });

  it('names a key of a wrong type in one line and one event, however often it is met', async () => {
    await test.redis.set(test.keys.scheduled, 'not a sorted set');
    await test.start(() => undefined);
    const [first] = await test.untilHappened('wrongType');
    expect(first).toEqual({ queue: test.queue, key: test.keys.scheduled, expected: 'zset', found: 'string' });
    await test.time.advance('1m');
    expect(test.happened('wrongType').filter(({ key }) => key === test.keys.scheduled)).toHaveLength(1);
    expect(test.logger.messages('error').filter((line) => line.includes(test.keys.scheduled))).toEqual([
      `Key "${test.keys.scheduled}" must be a zset but is a string: operations that need it fail until it is deleted`,
    ]);
    await test.redis.del(test.keys.scheduled);
  });
});
