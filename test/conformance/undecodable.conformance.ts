import { chapter } from './chapter.js';
import { collect } from './given-group.js';
import { grouped, nowSeconds, sharp } from './task-words.js';
import type { QueueUnderTest } from './queue-under-test.js';

const bad = Buffer.from([0x0a, 0x03, 0x61, 0xff, 0x62, 0x12, 0x01, 0x70]);
const oneFailure = { processed: 1, failed: 1, processedToday: 1, failedToday: 1 };

/** What is left of a task whose record did not decode. */
async function expectArchived(tasks: QueueUnderTest, reason: string | undefined): Promise<void> {
  expect(await tasks.placesOf('bad')).toEqual(['archived']);
  expect(await tasks.probe.secondOf('archived', 'bad')).toBe(nowSeconds);
  const task = await tasks.task('bad');
  expect(task).toMatchObject({ state: 'archived', owner: undefined, canceled: undefined });
  expect(task.undecodable?.reason).toBe(reason);
  expect(Buffer.compare(task.undecodable?.bytes ?? Buffer.alloc(0), bad)).toBe(0);
  expect(await tasks.stored('bad')).toMatchObject({
    id: 'bad',
    queue: tasks.queue,
    payload: Buffer.from('p'),
    errorMessage: reason,
    lastFailedAtSeconds: nowSeconds,
  });
  expect(await tasks.counters()).toEqual(oneFailure);
}

export const undecodableRecords = chapter('records that do not decode', (it) => {
  const ofBad = (tasks: QueueUnderTest) => [
    { queue: tasks.queue, taskId: 'bad', reason: expect.stringMatching(/UTF-8/i) as string },
  ];

  it('are archived by dequeue with their bytes and the reason, and the others are returned', async (tasks) => {
    await tasks.enqueue({ id: 'a' }, { id: 'bad' }, { id: 'b' });
    await tasks.probe.replaceRecord('bad', bad);
    const { messages, undecodable, left } = await tasks.dequeue(3);
    expect(messages.map(({ id }) => id)).toEqual(['a', 'b']);
    expect(undecodable).toEqual(ofBad(tasks));
    expect(left).toBe('some');
    await expectArchived(tasks, undecodable[0]?.reason);
    expect(await tasks.idsIn('active')).toEqual(['a', 'b']);
  });

  it('are reported even if their type cannot be read', async (tasks) => {
    await tasks.enqueue({ id: 'bad' });
    await tasks.probe.replaceRecord('bad', Buffer.from([0x0a, 0xff]));
    const { undecodable } = await tasks.dequeue();
    expect(undecodable.map(({ taskId }) => taskId)).toEqual(['bad']);
    expect(await tasks.stored('bad')).toMatchObject({ id: 'bad', type: 'undecodable', queue: tasks.queue });
  });

  it('do not include empty records', async (tasks) => {
    await tasks.enqueue({ id: 'a' });
    await tasks.probe.replaceRecord('a', Buffer.alloc(0));
    const { messages, undecodable } = await tasks.dequeue();
    expect(messages.map(({ id, type, queue }) => [id, type, queue])).toEqual([['a', '', tasks.queue]]);
    expect(undecodable).toEqual([]);
  });

  it('P-66 Q-23 are archived when their worker is lost, and the others are listed', async (tasks) => {
    await tasks.expired(60, { id: 'bad' });
    await tasks.expired(50, { id: 'good' });
    await tasks.probe.replaceRecord('bad', bad);
    const request = { queue: tasks.queue, expiredBy: sharp, now: sharp, limit: 10 };
    const { leases, undecodable } = await tasks.broker.maintenance.listExpiredLeases(request);
    expect(leases.map(({ message }) => message.id)).toEqual(['good']);
    expect(undecodable).toEqual(ofBad(tasks));
    await expectArchived(tasks, undecodable[0]?.reason);
  });

  it('Q-20 are archived, too, when they were lost from active', async (tasks) => {
    await tasks.expired(60, { id: 'bad' });
    await tasks.probe.replaceRecord('bad', bad);
    await tasks.probe.takeOut('active', 'bad');
    const request = { queue: tasks.queue, expiredBy: sharp, now: sharp, limit: 10 };
    const { undecodable } = await tasks.broker.maintenance.listExpiredLeases(request);
    expect(undecodable).toEqual(ofBad(tasks));
    await expectArchived(tasks, undecodable[0]?.reason);
  });

  it('leave an aggregation set, and are kept when the set is deleted', async (tasks) => {
    await tasks.enqueue(grouped('m', 'g'), grouped('bad', 'g'));
    await tasks.probe.replaceRecord('bad', bad);
    const { maintenance } = tasks.broker;
    const set = { queue: tasks.queue, group: 'g', setId: await collect(tasks, { maxSize: 2 }) };
    const read = await maintenance.readAggregationSet({ ...set, now: sharp });
    expect(read?.messages.map(({ id }) => id)).toEqual(['m']);
    expect(read?.undecodable).toEqual(ofBad(tasks));
    await expectArchived(tasks, read?.undecodable[0]?.reason);
    await maintenance.deleteAggregationSet(set);
    expect(await tasks.probe.taskIds()).toEqual(['bad']);
  });

  it('are forwarded and canceled as others are', async (tasks) => {
    await tasks.enqueue({ id: 'bad', place: { kind: 'scheduled', processAt: sharp } }, { id: 'worse' });
    for (const id of ['bad', 'worse']) await tasks.probe.replaceRecord(id, bad);
    const request = { queue: tasks.queue, now: sharp, limit: 10 };
    expect(await tasks.broker.maintenance.forwardDue(request)).toMatchObject({ forwarded: 1 });
    expect(await tasks.cancel('bad', 'archive')).toBe('archived');
    expect(await tasks.cancel('worse', 'delete')).toBe('deleted');
    expect(await tasks.probe.taskIds()).toEqual(['bad']);
  });
});
