import { fromEpochSeconds } from '../../lib/model/time/duration.js';
import { noonSeconds, SeededQueue } from './seeded-queue.js';

describe('aggregating groups', () => {
  let tasks: SeededQueue;
  beforeEach(() => {
    tasks = SeededQueue.open();
  });
  afterEach(async () => await tasks.close());

  it('drops a registered set that is not a key of the queue, or gone, and changes nothing else', async () => {
    await tasks.redis.zadd(
      tasks.keys.aggregationSets,
      noonSeconds,
      'foreign:key',
      noonSeconds,
      `${tasks.keys.groupPrefix}g:x`,
    );
    const now = fromEpochSeconds(noonSeconds);
    expect(await tasks.maintenance.reclaimAggregationSets({ queue: tasks.queue, now })).toBe(2);
    expect(await tasks.redis.keys(`${tasks.keys.taskPrefix.slice(0, -2)}*`)).toEqual([]);
  });
});
