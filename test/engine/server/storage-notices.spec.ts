import { ServerUnderTest } from '../server-under-test.js';

describe('a server tells of what storage worked around', () => {
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

  it('names a key of a wrong type in one line and one event, however often it is met', async () => {
    await test.redis.set(test.keys.scheduled, 'not a sorted set');
    await test.start(() => undefined);
    const [first] = await test.untilHappened('wrongType');
    expect(first).toEqual({ queue: test.queue, key: test.keys.scheduled, expected: 'zset', found: 'string' });
    await test.time.advance('1m');
    expect(test.happened('wrongType').filter(({ key }) => key === test.keys.scheduled)).toHaveLength(1);
    expect(test.logger.messages('error').filter((line) => line.includes(test.keys.scheduled))).toEqual([
      `Key "${test.keys.scheduled}" must be a zset but is a string: what needs it does not work until it is deleted`,
    ]);
    await test.redis.del(test.keys.scheduled);
  });
});
