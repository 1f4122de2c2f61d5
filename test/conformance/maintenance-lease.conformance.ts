import { type EpochMs, ms } from '../../lib/model/time/duration.js';
import { until } from '../support/until.js';
import { chapter } from './chapter.js';
import type { QueueUnderTest } from './queue-under-test.js';
import { after, later, now } from './task-words.js';

const length = ms(20_000);

const ask = async (tasks: QueueUnderTest, owner: string, at: EpochMs = now): Promise<number | 'held'> => {
  const lease = await tasks.broker.maintenance.leaseMaintenance({ queue: tasks.queue, owner, now: at, length });
  return lease.kind === 'held' ? 'held' : lease.heldFor;
};
const release = async ({ broker, queue }: QueueUnderTest, owner: string): Promise<void> =>
  await broker.maintenance.releaseMaintenance({ queue, owner });

export const maintenanceLease = chapter('maintenance leases', (it) => {
  it('are held by one server, and tell the others for how long', async (tasks) => {
    expect(await ask(tasks, 'host:1:a')).toBe('held');
    const heldFor = await ask(tasks, 'host:1:b', after(5_000));
    expect(heldFor).toBeGreaterThan(10_000);
    expect(heldFor).toBeLessThanOrEqual(15_000);
    expect(await ask(tasks, 'host:1:a', after(6_000))).toBe('held');
  });

  it('last from the time of the last renewal', async (tasks) => {
    await ask(tasks, 'host:1:a');
    await ask(tasks, 'host:1:a', after(10_000));
    expect(await ask(tasks, 'host:1:b', after(29_999))).toBe(1);
    expect(await ask(tasks, 'host:1:b', after(30_000))).toBe('held');
    expect(await ask(tasks, 'host:1:a', after(30_000))).toBeGreaterThan(10_000);
  });

  it('are free as soon as they are released, which only the holder can do', async (tasks) => {
    await ask(tasks, 'host:1:a');
    await release(tasks, 'host:1:b');
    expect(await ask(tasks, 'host:1:b')).not.toBe('held');
    await release(tasks, 'host:1:a');
    await release(tasks, 'host:1:a');
    expect(await ask(tasks, 'host:1:b')).toBe('held');
  });

  it('apply to one queue each', async (tasks) => {
    await ask(tasks, 'host:1:a');
    expect(await ask(await tasks.sibling(), 'host:1:b')).toBe('held');
  });

  it('are announced to every server', async (tasks) => {
    const heard = await tasks.listen();
    const queues = [...Array.from({ length: 1_200 }, (_, at) => `${tasks.queue}-${at}`), tasks.queue];
    await tasks.broker.presence.announceMaintenance({ owner: 'host:1:a', queues, heldFor: length });
    // A cluster publishes through any node, so two messages that are sent together may arrive in either order.
    await until('the first is heard', () => heard.lines.length === 1);
    await tasks.broker.presence.announceMaintenance({ owner: 'host:1:a', queues: [tasks.queue], heldFor: ms(0) });
    await until('both are heard', () => heard.lines.length === 2);
    expect(heard.lines).toEqual(['maintained by host:1:a for 20000', 'maintained by host:1:a for 0']);
  });
});

export const earliestDue = chapter('the earliest delayed task', (it) => {
  const earliest = async ({ broker, queue }: QueueUnderTest): Promise<number> =>
    ((await broker.maintenance.earliestDue(queue)) ?? Number.NaN) - now;

  it('is undefined when no task waits', async (tasks) => {
    await tasks.enqueue({ id: 'a' });
    expect(await earliest(tasks)).toBeNaN();
  });

  it('is returned up to a second early and never late', async (tasks) => {
    for (const delay of [9_000, 5_250, 5_001, 4_749, 3_000]) {
      await tasks.enqueue(later(`after-${delay}`, after(delay)));
      expect(await earliest(tasks)).toBeLessThanOrEqual(delay);
      expect(await earliest(tasks)).toBeGreaterThan(delay - 1_000);
    }
  });

  it('may be one that waits for its retry', async (tasks) => {
    const message = await tasks.one();
    await tasks.enqueue(later('a', after(60_000)));
    await tasks.settle({ kind: 'retry', message, retryAt: after(30_000), counts: 'as-failure' });
    expect(await earliest(tasks)).toBeLessThanOrEqual(30_000);
    expect(await earliest(tasks)).toBeGreaterThan(29_000);
  });
});
