import { encodeTaskMessage } from '../../lib/model/task/task-message.codec.js';
import { ms } from '../../lib/model/time/duration.js';
import { chapter } from './chapter.js';
import { grouped, ids, leaseSeconds, now, nowSeconds, owner } from './task-words.js';

export const dequeueing = chapter('dequeueing', (it) => {
  const idsOf = (messages: readonly { readonly id: string }[]): string[] => messages.map(({ id }) => id);

  it('P-55 takes the oldest task, and the next one after it', async (tasks) => {
    await tasks.enqueue({ id: 'a' }, { id: 'b' }, { id: 'c' });
    expect(idsOf((await tasks.dequeue()).messages)).toEqual(['a']);
    expect(idsOf((await tasks.dequeue()).messages)).toEqual(['b']);
    expect(await tasks.idsIn('active')).toEqual(['a', 'b']);
    expect(await tasks.idsIn('pending')).toEqual(['c']);
  });

  it('P-55 takes a batch in the same order as single tasks', async (tasks) => {
    await tasks.enqueue({ id: 'a' }, { id: 'b' }, { id: 'c' });
    expect(idsOf((await tasks.dequeue(2)).messages)).toEqual(['a', 'b']);
    expect(await tasks.idsIn('active')).toEqual(['a', 'b']);
    expect(await tasks.idsIn('pending')).toEqual(['c']);
  });

  it('P-56 makes the task active, names its owner, and leaves its record unchanged', async (tasks) => {
    const fields = { id: 'a', headers: { k: 'v' }, payload: Buffer.from([0xff, 0x00]) };
    await tasks.enqueue(fields);
    const { bytes } = await tasks.task('a');
    const { messages } = await tasks.dequeue();
    expect(await tasks.task('a')).toMatchObject({ state: 'active', owner, pendingSince: undefined });
    expect(Buffer.compare((await tasks.task('a')).bytes, bytes)).toBe(0);
    expect(messages).toEqual([tasks.message(fields)]);
  });

  it('P-57 leases the task until the requested second', async (tasks) => {
    await tasks.one();
    expect(await tasks.probe.secondOf('lease', 'a')).toBe(leaseSeconds);
    expect(leaseSeconds).toBe(nowSeconds + 30);
    expect(await tasks.placesOf('a')).toEqual(['active', 'lease']);
  });

  it('P-57 writes the lease in whole seconds, rounded down', async (tasks) => {
    await tasks.enqueue({ id: 'a' });
    await tasks.dequeue(1, now, ms(1_740));
    expect(await tasks.probe.secondOf('lease', 'a')).toBe(nowSeconds + 1);
  });

  it('P-58 P-59 takes nothing from a paused queue until it is resumed', async (tasks) => {
    await tasks.enqueue({ id: 'a' });
    expect(await tasks.broker.work.isPaused(tasks.queue)).toBe(false);
    await tasks.probe.pause();
    expect(await tasks.broker.work.isPaused(tasks.queue)).toBe(true);
    expect(await tasks.dequeue()).toEqual({ messages: [], undecodable: [], left: 'paused' });
    expect(await tasks.placesOf('a')).toEqual(['pending']);
    await tasks.probe.resume();
    expect(await tasks.broker.work.isPaused(tasks.queue)).toBe(false);
    expect(idsOf((await tasks.dequeue()).messages)).toEqual(['a']);
  });

  it('P-58 reports an empty queue as paused, and still enqueues and settles tasks', async (tasks) => {
    const message = await tasks.one();
    await tasks.probe.pause();
    expect((await tasks.dequeue()).left).toBe('paused');
    expect(await tasks.enqueue({ id: 'b' })).toEqual(['enqueued']);
    expect(await tasks.settle({ kind: 'done', message })).toEqual(['settled']);
    expect(await (await tasks.sibling()).broker.work.isPaused(`${tasks.queue}-other`)).toBe(false);
  });

  it('P-60 tells whether a queue may have more tasks', async (tasks) => {
    expect(await tasks.dequeue(3)).toEqual({ messages: [], undecodable: [], left: 'drained' });
    await tasks.enqueue({ id: 'a' }, { id: 'b' }, { id: 'c' });
    expect((await tasks.dequeue(2)).left).toBe('some');
    expect((await tasks.dequeue(2)).left).toBe('drained');
  });

  it('gives two servers different tasks', async (tasks) => {
    await tasks.enqueue(...ids(40).map((id) => ({ id })));
    const request = { queue: tasks.queue, limit: 10, now, leaseUntil: now, owner };
    const given = await Promise.all(
      [tasks.broker, tasks.other, tasks.broker, tasks.other].map(async ({ work }) => await work.dequeue(request)),
    );
    expect(given.flatMap(({ messages }) => idsOf(messages)).toSorted()).toEqual(ids(40).toSorted());
  });

  it('P-63 drops ids without a task, and still returns as many tasks as requested', async (tasks) => {
    await tasks.enqueue({ id: 'a' });
    await tasks.probe.putIn(
      'pending',
      ids(500).map((id) => `gone-${id}`),
      0,
    );
    await tasks.enqueue({ id: 'b' }, { id: 'lost' }, { id: 'c' }, { id: 'd' });
    await tasks.probe.loseTask('lost');
    expect(idsOf((await tasks.dequeue(3)).messages)).toEqual(['a', 'b', 'c']);
    expect(await tasks.idsIn('active')).toEqual(['a', 'b', 'c']);
    expect(await tasks.idsIn('lease')).toHaveLength(3);
    expect(await tasks.idsIn('pending')).toEqual(['d']);
    expect(await tasks.probe.taskIds()).toEqual(['a', 'b', 'c', 'd']);
  });

  it('P-63 gets past any number of ids without a task', async (tasks) => {
    await tasks.probe.putIn(
      'pending',
      ids(2_500).map((id) => `gone-${id}`),
      0,
    );
    await tasks.enqueue({ id: 'a' });
    let taken = await tasks.dequeue(10);
    for (let calls = 0; taken.messages.length === 0 && calls < 5; calls++) {
      expect(taken.left).toBe('some');
      taken = await tasks.dequeue(10);
    }
    expect(idsOf(taken.messages)).toEqual(['a']);
    expect(taken.left).toBe('drained');
  });

  it('identifies a task by its key, whatever its record says', async (tasks) => {
    await tasks.enqueue({ id: 'a' });
    await tasks.probe.replaceRecord('a', encodeTaskMessage(tasks.message({ id: 'other', queue: 'elsewhere' })));
    const { messages } = await tasks.dequeue();
    expect(messages.map(({ id, queue }) => [id, queue])).toEqual([['a', tasks.queue]]);
    expect(await tasks.settle(...messages.map((message) => ({ kind: 'done' as const, message })))).toEqual(['settled']);
    expect(await tasks.probe.taskIds()).toEqual([]);
  });

  it('P-05 P-06 takes a record of a newer Asynq, and keeps unknown fields', async (tasks) => {
    const unknownFields = Buffer.from([0x82, 0x01, 0x01, 0x78]);
    await tasks.enqueue({ id: 'a' });
    const newer = Buffer.concat([encodeTaskMessage(tasks.message({ id: 'a' })), unknownFields]);
    await tasks.probe.replaceRecord('a', newer);
    const { messages } = await tasks.dequeue();
    expect(messages).toEqual([tasks.message({ id: 'a', unknownFields })]);
    await tasks.settle(...messages.map((message) => ({ kind: 'archive' as const, message })));
    expect((await tasks.stored('a')).unknownFields).toEqual(unknownFields);
  });

  it('takes at most a thousand tasks per call', async (tasks) => {
    await tasks.enqueue(...ids(1_100).map((id) => ({ id })));
    const { messages, left } = await tasks.dequeue(5_000);
    expect(idsOf(messages)).toEqual(ids(1_000));
    expect(left).toBe('some');
    expect(idsOf((await tasks.dequeue(5_000)).messages)).toEqual(ids(1_100).slice(1_000));
  });

  it('takes no task of a group', async (tasks) => {
    await tasks.enqueue(grouped('a', 'g'), { id: 'b', group: 'h' });
    expect(idsOf((await tasks.dequeue(5)).messages)).toEqual(['b']);
  });
});
