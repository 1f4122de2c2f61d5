import type { Settlement } from '../../lib/model/broker/work.contract.js';
import type { TaskMessage } from '../../lib/model/task/task-message.js';
import { addMs, ms } from '../../lib/model/time/duration.js';
import { chapter } from './chapter.js';
import { after, ids, now, nowSeconds } from './task-words.js';

export const settlingSuccess = chapter('settling success', (it) => {
  const done = (message: TaskMessage): Settlement => ({ kind: 'done', message });
  const complete = (message: TaskMessage, result?: Uint8Array): Settlement => ({
    kind: 'complete',
    message: { ...message, completedAtSeconds: nowSeconds },
    expiresAt: addMs(now, ms(message.retentionSeconds * 1_000)),
    result,
  });
  const bytesOf = (result: Uint8Array | undefined): Buffer | undefined => result && Buffer.from(result);

  it('P-67 deletes everything of a task without retention, even its result', async (tasks) => {
    const message = await tasks.one();
    await tasks.writeResult('a', Buffer.from('r'));
    expect(await tasks.settle(done(message))).toEqual(['settled']);
    expect(await tasks.placesOf('a')).toEqual([]);
    expect(await tasks.probe.taskIds()).toEqual([]);
  });

  it('P-68 keeps a task with retention until it ends', async (tasks) => {
    const message = await tasks.one({ retentionSeconds: 3_600 });
    expect(await tasks.settle(complete(message))).toEqual(['settled']);
    expect(await tasks.placesOf('a')).toEqual(['completed']);
    expect(await tasks.probe.secondOf('completed', 'a')).toBe(nowSeconds + 3_600);
    expect(await tasks.task('a')).toMatchObject({ state: 'completed', owner: undefined, result: undefined });
    expect(await tasks.stored('a')).toEqual({ ...message, completedAtSeconds: nowSeconds });
  });

  it('P-69 P-28 counts one run of the UTC day, and no failure', async (tasks) => {
    await tasks.settle(done(await tasks.one()));
    expect(await tasks.counters()).toEqual({ processed: 1, failed: 0, processedToday: 1, failedToday: 0 });
    await tasks.settle(complete(await tasks.one({ id: 'b', retentionSeconds: 60 })));
    expect(await tasks.counters()).toEqual({ processed: 2, failed: 0, processedToday: 2, failedToday: 0 });
  });

  it('P-28 counts each UTC day by itself', async (tasks) => {
    const midnight = new Date(now).setUTCHours(0, 0, 0, 0);
    const [first, second] = await tasks.running({ id: 'a' }, { id: 'b' });
    const [before, at] = [after(midnight - 1 - now), after(midnight - now)];
    await tasks.settleAt(before, done(first ?? tasks.message()));
    await tasks.settleAt(at, done(second ?? tasks.message()));
    expect(await tasks.probe.counters(before)).toMatchObject({ processed: 2, processedToday: 1 });
    expect(await tasks.probe.counters(at)).toMatchObject({ processed: 2, processedToday: 1 });
    expect(await tasks.probe.counters(after(3 * 86_400_000))).toMatchObject({ processed: 2, processedToday: 0 });
  });

  it('P-70 frees the lock of the task', async (tasks) => {
    await tasks.settle(done(await tasks.one({ uniqueKey: tasks.lockName(), uniqueForSeconds: 60 })));
    expect(await tasks.probe.lock(tasks.lockName())).toBeUndefined();
    const again = { id: 'b', uniqueKey: tasks.lockName(), uniqueForSeconds: 60 };
    expect(await tasks.enqueue(again)).toEqual(['enqueued']);
  });

  it('P-71 leaves the lock of another task', async (tasks) => {
    const messages = await tasks.running(
      { id: 'a', uniqueKey: tasks.lockName('1'), uniqueForSeconds: 60 },
      { id: 'b', uniqueKey: tasks.lockName('2'), uniqueForSeconds: 60, retentionSeconds: 60 },
    );
    const newer = { holder: 'newer', ttl: ms(60_000) };
    for (const suffix of ['1', '2']) await tasks.probe.setLock(tasks.lockName(suffix), newer);
    const [first, second] = messages.map((message) => message);
    await tasks.settle(done(first ?? tasks.message()), complete(second ?? tasks.message()));
    for (const suffix of ['1', '2']) {
      expect((await tasks.probe.lock(tasks.lockName(suffix)))?.holder).toBe('newer');
    }
  });

  it('P-72 frees the lock at completion, not when retention ends', async (tasks) => {
    const wanted = { uniqueKey: tasks.lockName(), uniqueForSeconds: 60, retentionSeconds: 60 };
    await tasks.settle(complete(await tasks.one(wanted)));
    expect(await tasks.probe.lock(tasks.lockName())).toBeUndefined();
  });

  it('P-70 frees the locks of some tasks of a batch and of no others', async (tasks) => {
    const locked = (id: string) => ({ id, uniqueKey: tasks.lockName(id), uniqueForSeconds: 60 });
    const messages = await tasks.running(locked('a'), { id: 'b' }, locked('c'), locked('d'));
    await tasks.settle(...messages.slice(0, 3).map(done));
    const holders = await Promise.all(
      ['a', 'c', 'd'].map(async (id) => (await tasks.probe.lock(tasks.lockName(id)))?.holder),
    );
    expect(holders).toEqual([undefined, undefined, 'd']);
  });

  it('P-77 frees no lock outside the queue, whatever the record says', async (tasks) => {
    const other = await tasks.sibling();
    await other.enqueue({ id: 'a', uniqueKey: other.lockName(), uniqueForSeconds: 60 });
    const message = await tasks.one();
    expect(await tasks.settle(done({ ...message, uniqueKey: other.lockName() }))).toEqual(['settled']);
    expect((await other.probe.lock(other.lockName()))?.holder).toBe('a');
  });

  it('P-74 keeps the result while the task is completed', async (tasks) => {
    const message = await tasks.one({ retentionSeconds: 60 });
    await tasks.writeResult('a', Buffer.from([0, 255]));
    await tasks.settle(complete(message));
    expect(bytesOf((await tasks.task('a')).result)).toEqual(Buffer.from([0, 255]));
  });

  it('P-74 stores a result on completion, which replaces an earlier one even if it is empty', async (tasks) => {
    const messages = await tasks.running({ id: 'a', retentionSeconds: 60 }, { id: 'b', retentionSeconds: 60 });
    for (const { id } of messages) {
      await tasks.writeResult(id, Buffer.from('earlier'));
    }
    const [first, second] = messages.map((message) => message);
    await tasks.settle(
      complete(first ?? tasks.message(), new Uint8Array([1, 2])),
      complete(second ?? tasks.message(), Buffer.alloc(0)),
    );
    expect(bytesOf((await tasks.task('a')).result)).toEqual(Buffer.from([1, 2]));
    expect(bytesOf((await tasks.task('b')).result)).toEqual(Buffer.alloc(0));
  });

  it('counts a batch once for each task that was settled', async (tasks) => {
    const messages = await tasks.running(...ids(700).map((id) => ({ id })));
    const outcomes = await tasks.settle(done(tasks.message({ id: 'gone' })), ...messages.map(done));
    expect(outcomes[0]).toBe('not-active');
    expect(new Set(outcomes.slice(1))).toEqual(new Set(['settled']));
    expect(await tasks.counters()).toMatchObject({ processed: 700, processedToday: 700 });
    expect(await tasks.probe.taskIds()).toEqual([]);
  });
});
