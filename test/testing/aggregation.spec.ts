import { Injectable } from '@nestjs/common';
import { type Task, TaskAggregator, type TaskGroup, TaskHandler, type TaskToEnqueue } from '../../lib/index.js';
import { appWith, closeApps } from './app-under-test.js';

afterEach(closeApps);

@Injectable()
class Digests {
  readonly sent: string[] = [];
  failures = 0;

  @TaskAggregator('digest:')
  digest({ name, tasks }: TaskGroup<{ text: string }>): TaskToEnqueue {
    if (this.failures-- > 0) throw new Error('no paper');
    return ['email:digest', `${name} ${tasks.map(({ payload }) => payload.text).join('')}`];
  }

  @TaskHandler('email:digest')
  send(task: Task<string>): void {
    this.sent.push(task.payload);
  }
}

const texts = 'abcdefgh'.split('');

describe('a group under the kit', () => {
  it('becomes one task when its grace period ends, at that instant and in the order of enqueueing', async () => {
    const { kit, client, module } = await appWith([Digests]);
    const start = kit.now().getTime();
    for (const text of texts) await client.enqueue('note', { text }, { group: 'digest:7' });
    kit.expectEnqueued('note', { group: 'digest:7', state: 'aggregating', count: 8 });
    expect(await kit.drain()).toEqual([]);
    expect(await kit.advance('59s999ms')).toEqual([]);
    const [run] = await kit.advance('1ms');
    expect(run).toMatchObject({ type: 'email:digest', outcome: 'completed', at: new Date(start + 60_000) });
    expect(module.get(Digests).sent).toEqual(['digest:7 abcdefgh']);
    kit.expectEnqueued('email:digest', { payload: 'digest:7 abcdefgh', count: 1 });
    expect(kit.enqueued({ type: 'note' }).map(({ state }) => state)).toEqual(texts.map(() => 'gone'));
    expect(kit.tasks()).toEqual([]);
  });

  it('waits again with each task, but no longer than its maximum delay', async () => {
    const server = { groupGracePeriod: '1m', groupMaxDelay: '150s' } as const;
    const { kit, client, module } = await appWith([Digests], { options: { server } });
    for (const text of texts) {
      await client.enqueue('note', { text }, { group: 'digest:7' });
      await kit.advance('40s');
    }
    await kit.advance('1h');
    expect(module.get(Digests).sent).toEqual(['digest:7 abcd', 'digest:7 efgh']);
  });

  it('is aggregated as soon as it is full', async () => {
    const { kit, client, module } = await appWith([Digests], { options: { server: { groupMaxSize: 3 } } });
    for (const text of texts) await client.enqueue('note', { text }, { group: 'digest:7' });
    await kit.drain();
    expect(module.get(Digests).sent.toSorted()).toEqual(['digest:7 abc', 'digest:7 def']);
    await kit.advance('1m');
    expect(module.get(Digests).sent.at(-1)).toBe('digest:7 gh');
  });

  it('keeps its tasks when its method throws, and is tried again', async () => {
    const { kit, client, module } = await appWith([Digests]);
    module.get(Digests).failures = 1;
    await client.enqueue('note', { text: 'a' }, { group: 'digest:7' });
    await kit.advance('1h');
    expect(module.get(Digests).sent).toEqual(['digest:7 a']);
    expect(kit.logs).toContainEqual({ level: 'error', message: expect.stringContaining('no paper') as string });
  });

  it('is joined by a delayed task when it is due', async () => {
    const { kit, client, module } = await appWith([Digests]);
    await client.enqueue('note', { text: 'later' }, { group: 'digest:7', processIn: '1h' });
    expect(await kit.advance('1h')).toEqual([]);
    expect(kit.tasks()).toMatchObject([{ state: 'aggregating', group: 'digest:7' }]);
    await kit.advance('1m');
    expect(module.get(Digests).sent).toEqual(['digest:7 later']);
  });

  it('is left alone when no aggregator matches it', async () => {
    const { kit, client } = await appWith([Digests]);
    await client.enqueue('note', {}, { group: 'other' });
    expect(await kit.advance('1d')).toEqual([]);
    expect(kit.tasks({ state: 'aggregating' })).toHaveLength(1);
  });
});
