import { Injectable } from '@nestjs/common';
import { type Task, TaskHandler } from '../../lib/index.js';
import { appWith, closeApps, Scripted } from './app-under-test.js';

afterEach(closeApps);

describe('advance', () => {
  it('runs a task that is due in 24 hours at that instant, not before', async () => {
    const { kit, client } = await appWith([Scripted]);
    const start = kit.now().getTime();
    await client.enqueue('note', {}, { processIn: '24h' });
    expect(await kit.advance('23h59m59s999ms')).toEqual([]);
    expect(await kit.advance('1ms')).toMatchObject([{ outcome: 'completed', at: new Date(start + 86_400_000) }]);
  });

  it('stops at every instant on the way', async () => {
    const { kit, client } = await appWith([Scripted]);
    const start = kit.now().getTime();
    for (const processIn of ['3h', '1h', '90m'] as const) await client.enqueue('note', {}, { processIn });
    const runs = await kit.advance('1d');
    expect(runs.map(({ at }) => (at.getTime() - start) / 60_000)).toEqual([60, 90, 180]);
    expect(kit.now().getTime() - start).toBe(86_400_000);
  });

  it('keeps the order of enqueueing where instants are the same', async () => {
    const { kit, client, module } = await appWith([Scripted]);
    const texts = 'abcdefgh'.split('');
    for (const text of texts) await client.enqueue('note', { text }, { processIn: '1h' });
    await kit.advance('1h');
    expect(module.get(Scripted).seen).toEqual(texts);
  });

  it('backs off through 25 retries until the task is archived', async () => {
    const { kit, client } = await appWith([Scripted]);
    await client.enqueue('fail', {});
    const runs = await kit.advance('60d');
    expect(runs.map(({ outcome }) => outcome)).toEqual([...Array<string>(25).fill('retry'), 'archived']);
    expect(kit.tasks()).toMatchObject([{ state: 'archived', retried: 25, lastError: 'no such luck' }]);
    const [first, second] = runs;
    expect(second?.at).toEqual(first?.nextProcessAt);
  });

  it('lets a running handler meet its timeout', async () => {
    const { kit, client } = await appWith([Scripted]);
    const start = kit.now().getTime();
    await client.enqueue('wait', {}, { timeout: '5m', maxRetry: 0 });
    const [run] = await kit.advance('10m');
    expect(run).toMatchObject({ outcome: 'archived', error: { code: 'ASYNQ_DEADLINE_EXCEEDED' } });
    expect(run?.at.getTime()).toBe(start + 300_000);
  });

  it('ends retentions and unique locks at their time', async () => {
    const { kit, client } = await appWith([Scripted]);
    await client.enqueue('note', { text: 'kept' }, { retention: '1h' });
    await client.enqueue('fail', {}, { unique: '10s', processIn: '1m', maxRetry: 0 });
    await kit.drain();
    expect(kit.tasks({ state: 'completed' })).toMatchObject([{ result: 'noted', retention: 3_600_000 }]);
    await expect(client.enqueue('fail', {}, { unique: '10s' })).rejects.toMatchObject({ code: 'ASYNQ_DUPLICATE_TASK' });
    await kit.advance('59m59s');
    expect(kit.tasks({ state: 'completed' })).toHaveLength(1);
    await kit.advance('1s');
    expect(kit.tasks({ state: 'completed' })).toEqual([]);
    await client.enqueue('fail', {}, { unique: '10s' });
  });

  it('passes 31 days without work almost at once', async () => {
    const { kit } = await appWith([Scripted]);
    const before = kit.now().getTime();
    await kit.advance('31d');
    expect(kit.now().getTime() - before).toBe(31 * 86_400_000);
    expect(kit.logs.filter(({ level }) => level === 'warn' || level === 'error')).toEqual([]);
  });

  it('does not warn about queues and groups that only other services serve', async () => {
    const { kit, client } = await appWith([Scripted]);
    await client.enqueue('note', {}, { queue: 'elsewhere' });
    await client.enqueue('note', {}, { group: 'elsewhere' });
    await kit.advance('1h');
    expect(kit.logs.filter(({ level }) => level === 'warn' || level === 'error')).toEqual([]);
  });

  it('waits for a handler that works in real time', async () => {
    @Injectable()
    class Slow {
      @TaskHandler('slow')
      async slow(_task: Task): Promise<void> {
        for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      }
    }
    const { kit, client } = await appWith([Slow]);
    await client.enqueue('slow', {}, { processIn: '1s' });
    expect(await kit.advance('1s')).toMatchObject([{ outcome: 'completed' }]);
  });

  it('refuses to go back, and invalid durations', async () => {
    const { kit } = await appWith([Scripted]);
    await expect(kit.advanceTo(new Date(0))).rejects.toMatchObject({ code: 'ASYNQ_INVALID_OPTION' });
    await expect(kit.advance('-1s')).rejects.toMatchObject({ code: 'ASYNQ_INVALID_OPTION' });
    await expect(kit.advance('soon' as never)).rejects.toMatchObject({ code: 'ASYNQ_INVALID_OPTION' });
  });
});
