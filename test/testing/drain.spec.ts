import { Injectable } from '@nestjs/common';
import { AsynqClient, type Task, TaskHandler } from '../../lib/index.js';
import { appWith, closeApps, Scripted } from './app-under-test.js';

afterEach(closeApps);

describe('drain', () => {
  it('runs what was enqueued, and nothing runs before', async () => {
    const { kit, client, module } = await appWith([Scripted]);
    await client.enqueue('note', { text: 'hello' });
    expect(kit.enqueued()).toMatchObject([{ type: 'note', payload: { text: 'hello' }, state: 'pending' }]);
    expect(module.get(Scripted).seen).toEqual([]);
    expect(await kit.drain()).toMatchObject([{ type: 'note', outcome: 'completed', error: undefined }]);
    expect(module.get(Scripted).seen).toEqual(['hello']);
    expect(kit.enqueued()).toMatchObject([{ state: 'gone' }]);
  });
});

describe('drain of more than one task', () => {
  it('continues with tasks that handlers enqueue and tasks that are retried at once', async () => {
    @Injectable()
    class Chain {
      constructor(private readonly client: AsynqClient) {}

      @TaskHandler('chain')
      async next(task: Task<number>): Promise<void> {
        if (task.retried === 0) throw new Error('once more');
        if (task.payload > 0) await this.client.enqueue('chain', task.payload - 1);
      }
    }
    const { kit, client } = await appWith([Chain], { options: { server: { retryDelay: () => 0 } } });
    await client.enqueue('chain', 2);
    const runs = await kit.drain();
    expect(runs.map(({ outcome }) => outcome)).toEqual([0, 1, 2].flatMap(() => ['retry', 'completed']));
    expect(kit.tasks()).toEqual([]);
  });

  it('leaves tasks alone that are due later, paused or not served here', async () => {
    const { kit, client } = await appWith([Scripted]);
    await client.enqueue('note', {}, { processIn: '1s' });
    await client.enqueue('note', {}, { queue: 'elsewhere' });
    await client.enqueue('unheard-of', {});
    expect(await kit.drain()).toMatchObject([{ type: 'unheard-of', outcome: 'returned' }]);
    expect(
      kit
        .tasks()
        .map(({ state }) => state)
        .toSorted(),
    ).toEqual(['pending', 'pending', 'scheduled']);
  });

  it('names the types that keep coming', async () => {
    @Injectable()
    class Endless {
      constructor(private readonly client: AsynqClient) {}

      @TaskHandler('endless')
      async again(): Promise<void> {
        await this.client.enqueue('endless', {});
      }
    }
    const { kit, client } = await appWith([Endless, Scripted]);
    await client.enqueue('note', {});
    await client.enqueue('endless', {});
    await expect(kit.drain({ limit: 50 })).rejects.toMatchObject({
      code: 'ASYNQ_TEST_ENDLESS_DRAIN',
      message: expect.stringMatching(
        /^Tasks are still due after 50 runs at one instant: endless \(50 runs\), note \(1 runs\)/,
      ) as unknown,
    });
    kit.clear();
    expect(await kit.drain()).toEqual([]);
  });

  it('runs as many tasks at once as the server may', async () => {
    const { kit, client } = await appWith([Scripted], { options: { server: { concurrency: 50 } } });
    await client.enqueueMany(Array.from({ length: 2_000 }, (_, index) => ['note', { text: String(index) }]));
    expect(await kit.drain()).toHaveLength(2_000);
  });
});
