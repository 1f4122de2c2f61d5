import { chapter } from './chapter.js';
import { after, grouped, ids, later, now, type Wanted } from './task-words.js';

export const enqueueing = chapter('enqueueing to run at once', (it) => {
  it('P-01 P-10 stores a record that names its task and queue', async (tasks) => {
    const fields = { headers: { a: '1', b: 'ü' }, retentionSeconds: 60, timeoutSeconds: 7, deadlineSeconds: 9 };
    expect(await tasks.enqueue({ id: 'a', ...fields })).toEqual(['enqueued']);
    expect(await tasks.stored('a')).toEqual(tasks.message({ id: 'a', ...fields }));
  });

  it('P-31 P-32 makes the task pending as of now, and writes nothing else', async (tasks) => {
    await tasks.enqueue({ id: 'a' });
    expect(await tasks.task('a')).toMatchObject({ state: 'pending', pendingSince: now });
    const { group, lock, owner, canceled, result, undecodable } = await tasks.task('a');
    expect([group, lock, owner, canceled, result, undecodable]).toEqual(Array.from({ length: 6 }));
    expect(await tasks.placesOf('a')).toEqual(['pending']);
  });

  it('P-13 keeps every byte of a payload', async (tasks) => {
    const payload = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    await tasks.enqueue({ id: 'a', payload });
    const { messages } = await tasks.dequeue();
    expect(Buffer.from(messages[0]?.payload ?? []).equals(payload)).toBe(true);
  });

  it('P-13 keeps the payload as it was when it was enqueued', async (tasks) => {
    const payload = Buffer.from('before');
    await tasks.enqueue({ id: 'a', payload });
    payload.fill(0);
    expect(Buffer.from((await tasks.dequeue()).messages[0]?.payload ?? []).toString()).toBe('before');
  });

  it('P-19 P-20 registers the queue under its unchanged name', async (tasks) => {
    const named = await tasks.sibling(`${tasks.queue} Case with spaces `);
    expect(await named.probe.isKnown()).toBe(false);
    await named.enqueue({ id: 'a' });
    expect(await named.probe.isKnown()).toBe(true);
  });

  it('P-33 keeps first-in, first-out order', async (tasks) => {
    await tasks.enqueue({ id: 'a' });
    await tasks.enqueue({ id: 'b' }, { id: 'c' });
    expect(await tasks.idsIn('pending')).toEqual(['a', 'b', 'c']);
  });

  it('P-34 refuses an id that is taken and leaves the stored task unchanged', async (tasks) => {
    await tasks.enqueue({ id: 'a', payload: Buffer.from('first') });
    const before = await tasks.task('a');
    expect(await tasks.enqueue({ id: 'a', payload: Buffer.from('second') })).toEqual(['id-conflict']);
    expect(await tasks.task('a')).toEqual(before);
    expect(await tasks.placesOf('a')).toEqual(['pending']);
  });

  it('P-35 accepts the same id in two queues', async (tasks) => {
    const other = await tasks.sibling();
    expect(await tasks.enqueue({ id: 'a' }, { id: 'a', queue: other.queue })).toEqual(['enqueued', 'enqueued']);
    expect(await other.idsIn('pending')).toEqual(['a']);
    expect(await tasks.idsIn('pending')).toEqual(['a']);
  });

  it('P-36 refuses the id of a task in every state, for every kind of new task', async (tasks) => {
    const messages = await tasks.running({ id: 'active' }, { id: 'retry' }, { id: 'archived' }, { id: 'completed' });
    const [, retry, archived, completed] = messages.map((message) => ({ message }));
    await tasks.settle(
      { kind: 'retry', message: retry?.message ?? tasks.message(), retryAt: after(5_000), counts: 'not' },
      { kind: 'archive', message: archived?.message ?? tasks.message() },
      {
        kind: 'complete',
        message: completed?.message ?? tasks.message(),
        expiresAt: after(60_000),
        result: undefined,
      },
    );
    await tasks.enqueue({ id: 'pending' }, later('scheduled', after(5_000)), grouped('aggregating', 'g'));
    const states = ['active', 'retry', 'archived', 'completed', 'pending', 'scheduled', 'aggregating'];
    for (const id of states) {
      expect([id, await tasks.stateOf(id)]).toEqual([id, id]);
      const places = await tasks.placesOf(id);
      const again: Wanted[] = [{ id }, later(id, after(9_000)), grouped(id, 'h')];
      expect([id, await tasks.enqueue(...again)]).toEqual([id, ['id-conflict', 'id-conflict', 'id-conflict']]);
      expect([id, await tasks.placesOf(id)]).toEqual([id, places]);
    }
    expect(await tasks.broker.maintenance.listGroups(tasks.queue)).toEqual(['g']);
  });

  it('accepts the id of a task that is done', async (tasks) => {
    await tasks.settle({ kind: 'done', message: await tasks.one() });
    expect(await tasks.enqueue({ id: 'a' })).toEqual(['enqueued']);
  });

  it('P-41 P-42 gives each task of a batch its own outcome, in list order', async (tasks) => {
    await tasks.enqueue({ id: 'taken' });
    const outcomes = await tasks.enqueue(
      { id: 'a' },
      { id: 'taken', payload: Buffer.from('other') },
      later('later', after(60_000)),
      { id: 'b' },
      { id: 'a', payload: Buffer.from('again') },
    );
    expect(outcomes).toEqual(['enqueued', 'id-conflict', 'enqueued', 'enqueued', 'id-conflict']);
    expect(await tasks.idsIn('pending')).toEqual(['taken', 'a', 'b']);
    expect(await tasks.idsIn('scheduled')).toEqual(['later']);
    expect(Buffer.from((await tasks.stored('a')).payload).toString()).toBe('{}');
  });

  it('P-41 finds an id that occurs twice in a batch of plain tasks', async (tasks) => {
    const outcomes = await tasks.enqueue({ id: 'a', type: 'first' }, { id: 'b' }, { id: 'a', type: 'second' });
    expect(outcomes).toEqual(['enqueued', 'enqueued', 'id-conflict']);
    expect((await tasks.stored('a')).type).toBe('first');
    expect(await tasks.idsIn('pending')).toEqual(['a', 'b']);
  });

  it('treats an id of this process that is already stored as an earlier attempt that succeeded', async (tasks) => {
    await tasks.enqueue({ id: 'a', idIsGenerated: true });
    const again = { idIsGenerated: true, payload: Buffer.from('again') };
    expect(await tasks.enqueue({ id: 'a', ...again }, { id: 'b', ...again })).toEqual(['enqueued', 'enqueued']);
    expect(await tasks.idsIn('pending')).toEqual(['a', 'b']);
    expect(Buffer.from((await tasks.stored('a')).payload).toString()).toBe('{}');
  });

  it('does nothing for an empty batch', async (tasks) => {
    expect(await tasks.enqueue()).toEqual([]);
    expect(await tasks.probe.isKnown()).toBe(false);
  });

  it('gives each of many tasks its own outcome, whatever their order', async (tasks) => {
    await tasks.enqueue({ id: 'id-3' }, { id: 'id-700' }, { id: 'id-1100' });
    const outcomes = await tasks.enqueue(...ids(1_234).map((id) => ({ id })));
    const refused = outcomes.flatMap((outcome, index) => (outcome === 'enqueued' ? [] : [[index, outcome]]));
    expect(refused).toEqual([3, 700, 1_100].map((index) => [index, 'id-conflict']));
    const taken = ['id-3', 'id-700', 'id-1100'];
    expect(await tasks.idsIn('pending')).toEqual([...taken, ...ids(1_234).filter((id) => !taken.includes(id))]);
  });

  it('keeps order and bytes of millions of bytes', async (tasks) => {
    const payload = Buffer.alloc(400_000, 7);
    await tasks.enqueue({ id: 'large', payload: Buffer.alloc(3_000_000, 8) }, ...ids(7).map((id) => ({ id, payload })));
    const { messages } = await tasks.dequeue(8);
    expect(messages.map(({ id }) => id)).toEqual(['large', ...ids(7)]);
    expect(messages.map(({ payload: bytes }) => bytes.length)).toEqual([3_000_000, ...ids(7).map(() => 400_000)]);
  });

  it('keeps queues of one call apart', async (tasks) => {
    const queues = [tasks, await tasks.sibling(), await tasks.sibling()];
    const wanted = ids(90).map((id, i): Wanted => ({ id, queue: queues[i % 3]?.queue ?? '' }));
    expect(new Set(await tasks.enqueue(...wanted))).toEqual(new Set(['enqueued']));
    for (const [i, queue] of queues.entries()) {
      expect(await queue.idsIn('pending')).toEqual(ids(90).filter((_, at) => at % 3 === i));
    }
  });

  for (const [what, name] of [
    ['braces', 'a{b}c'],
    ['an open brace', 'a{b'],
    ['a closing brace', 'a}b'],
    ['spaces and newlines', ' a \n b\t'],
    ['an emoji', '🚀 queue'],
    ['what looks like a pattern', 'a*b?[c]'],
    ['colons', 'a:t:b'],
    ['the name of what every object has', '__proto__'],
  ] as const) {
    it(`runs a task in a queue with ${what} in its name`, async (tasks) => {
      const odd = await tasks.sibling(`${tasks.queue}${name}`);
      expect(await odd.enqueue({ id: 'a' }, grouped('b', 'g:{h}'))).toEqual(['enqueued', 'enqueued']);
      expect(await odd.placesOf('b')).toEqual(['g:g:{h}']);
      const { messages } = await odd.dequeue();
      expect(messages.map(({ id, queue }) => [id, queue])).toEqual([['a', odd.queue]]);
      expect(await odd.settle(...messages.map((message) => ({ kind: 'done' as const, message })))).toEqual(['settled']);
      expect(await odd.probe.taskIds()).toEqual(['b']);
    });
  }

  it('accepts ids of 10,000 characters and of any characters', async (tasks) => {
    const odd = ['x'.repeat(10_000), 'a b\nc', '🚀', 'ключ', "'; --", '{x}', '%s', '__proto__', 'constructor'];
    expect(new Set(await tasks.enqueue(...odd.map((id) => ({ id }))))).toEqual(new Set(['enqueued']));
    const { messages } = await tasks.dequeue(odd.length);
    expect(messages.map(({ id }) => id)).toEqual(odd);
    const outcomes = await tasks.settle(...messages.map((message) => ({ kind: 'done' as const, message })));
    expect(new Set(outcomes)).toEqual(new Set(['settled']));
    expect([await tasks.idsIn('active'), await tasks.idsIn('lease')]).toEqual([[], []]);
  });

  it('registers a queue again within a minute after another program removed it', async (tasks) => {
    await tasks.enqueue({ id: 'a' });
    await tasks.probe.forgetQueue();
    await tasks.enqueueAt(after(60_000), { id: 'b' });
    expect(await tasks.probe.isKnown()).toBe(true);
    await tasks.probe.forgetQueue();
    await tasks.enqueueAt(after(-3_600_000), { id: 'c' });
    expect(await tasks.probe.isKnown()).toBe(true);
  });

  it('shows a task to every other broker at once', async (tasks) => {
    await tasks.enqueue({ id: 'a' });
    const request = { queue: tasks.queue, limit: 1, now, leaseUntil: after(30_000), owner: 'other:1:s' };
    expect((await tasks.other.work.dequeue(request)).messages.map(({ id }) => id)).toEqual(['a']);
    expect((await tasks.dequeue()).messages).toEqual([]);
  });
});
