import { AsynqClient } from '../../../lib/engine/client/asynq-client.js';
import { until } from '../../support/until.js';
import { VirtualClock } from '../../support/virtual-clock.js';
import { ClientUnderTest } from './client-under-test.js';
import { WatchedBroker } from './watched-broker.js';

describe('calls of enqueue', () => {
  let subject: ClientUnderTest;
  let watched: WatchedBroker;
  let client: AsynqClient;
  let clock: VirtualClock;
  let queue: string;

  beforeEach(async () => {
    subject = ClientUnderTest.open();
    watched = new WatchedBroker(subject.broker);
    clock = new VirtualClock();
    queue = subject.queue;
    client = new AsynqClient({ broker: watched.broker, clock, defaults: { queue } });
    // From here on the broker is open.
    await client.enqueue('x', null, { taskId: 'first' });
    watched.calls.length = 0;
  });

  afterEach(async () => {
    watched.release();
    await client.close();
    await subject.close();
  });

  const many = async (count: number): Promise<string[]> =>
    (await Promise.all(Array.from({ length: count }, () => client.enqueue('x')))).map((info) => info.id);

  it('are sent at once when they are alone, without a timer', async () => {
    watched.hold();
    const first = client.enqueue('x');
    await until('it is on its way', () => watched.calls.length === 1);
    expect(clock.armedTimers).toBe(0);
    watched.release();
    await first;
    await client.enqueue('x');
    expect(watched.sizes).toEqual([1, 1]);
  });

  it('made in one turn share round trips', async () => {
    await many(100);
    expect(watched.sizes.length).toBeLessThanOrEqual(2);
    expect(watched.sizes.reduce((sum, size) => sum + size, 0)).toBe(100);
  });

  it('made in one turn by many callers are sent in two halves, so that Redis works on one while the other is prepared', async () => {
    watched.hold();
    const done = many(100);
    await clock.settle();
    expect(watched.sizes).toEqual([50, 50]);
    watched.release();
    await done;
    expect(watched.maxAtOnce).toBe(2);
  });

  it('made while two are in progress are sent together in the next', async () => {
    watched.hold();
    const settled: Promise<unknown>[] = [];
    for (let turn = 0; turn < 10; turn += 1) {
      settled.push(client.enqueue('x'));
      await clock.settle();
    }
    expect(watched.sizes).toEqual([1, 1]);
    watched.release();
    await Promise.all(settled);
    expect(watched.sizes).toEqual([1, 1, 8]);
    expect(watched.maxAtOnce).toBe(2);
  });

  it('are sent in order, at most 500 at a time', async () => {
    const ids = await many(2_300);
    expect(await subject.pendingIds()).toEqual(['first', ...ids]);
    expect(Math.max(...watched.sizes)).toBeLessThanOrEqual(500);
    expect(watched.maxAtOnce).toBe(2);
  });

  it('are sent a megabyte at a time', async () => {
    const payload = Buffer.alloc(400_000);
    await Promise.all(Array.from({ length: 9 }, () => client.enqueue('x', payload)));
    expect(Math.max(...watched.sizes)).toBe(2);
  });

  it('carry a payload that is larger than a megabyte', async () => {
    const info = await client.enqueue('x', Buffer.alloc(3_000_000, 'a'));
    expect((await subject.messageOf(info.id)).payload).toHaveLength(3_000_000);
  });

  it('each have their own outcome', async () => {
    const outcomes = await Promise.allSettled([
      client.enqueue('x', 1, { taskId: 'a' }),
      client.enqueue('x', 2, { taskId: 'a' }),
      client.enqueue('x', 3, { unique: '1h' }),
      client.enqueue('x', 3, { unique: '1h' }),
      client.enqueue('x', 4),
    ]);
    expect(watched.sizes.length).toBeLessThanOrEqual(2);
    expect(outcomes).toMatchObject([
      { value: { id: 'a' } },
      { reason: { code: 'ASYNQ_TASK_ID_CONFLICT' } },
      { value: { state: 'pending' } },
      { reason: { code: 'ASYNQ_DUPLICATE_TASK' } },
      { value: { state: 'pending' } },
    ]);
  });

  it('leave no timer behind', async () => {
    await many(2_000);
    await until('nothing is under way', () => clock.armedTimers === 0);
  });

  it('of a long list keep pace with Redis instead of filling memory', async () => {
    watched.hold();
    let prepared = 0;
    const payload = {
      toJSON: () => {
        prepared += 1;
        return prepared;
      },
    };
    const done = client.enqueueMany(Array.from({ length: 10_000 }, () => ['x', payload] as const));
    await clock.settle();
    expect(prepared).toBeLessThanOrEqual(2_000);
    watched.release();
    expect(await done).toHaveLength(10_000);
    expect(prepared).toBe(10_000);
  });
});
