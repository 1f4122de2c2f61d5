import { Injectable } from '@nestjs/common';
import { AsynqClient, TaskHandler } from '../../lib/index.js';
import type { AsynqTestKit } from '../../lib/testing/index.js';
import { appWith, closeApps, Scripted } from './app-under-test.js';

afterEach(closeApps);

describe('failNext', () => {
  it('fails the next runs of a type with the error, and only those', async () => {
    const { kit, client, module } = await appWith([Scripted], { options: { server: { retryDelay: () => 0 } } });
    const error = new Error('mail server is down');
    kit.failNext('note', error, 2);
    await client.enqueue('note', {});
    expect(await kit.drain()).toMatchObject([
      { outcome: 'retry', error },
      { outcome: 'retry', error },
      { outcome: 'completed' },
    ]);
    expect(module.get(Scripted).seen).toEqual(['note']);
  });
});

describe('crash', () => {
  it('loses the outcome, and the task runs again once its lease has ended', async () => {
    const { kit, client, module } = await appWith([Scripted]);
    const start = kit.now().getTime();
    await client.enqueue('note', { text: 'first' });
    kit.crash();
    expect(await kit.drain()).toMatchObject([{ outcome: 'crashed', type: 'note' }]);
    expect(module.get(Scripted).seen).toEqual(['first']);
    expect(kit.tasks()).toMatchObject([{ state: 'active' }]);
    const [run] = await kit.advance('1m');
    expect(run).toMatchObject({ outcome: 'completed', retried: 1 });
    expect(run?.at.getTime()).toBe(start + 30_000);
    expect(module.get(Scripted).seen).toEqual(['first', 'first']);
  });

  it('strikes only the type it is meant for, and keeps the order', async () => {
    const { kit, client, module } = await appWith([Scripted], { options: { server: { concurrency: 1 } } });
    kit.crash('note');
    await client.enqueue('fail', {}, { maxRetry: 0 });
    await client.enqueue('note', { text: 'a' });
    await client.enqueue('note', { text: 'b' });
    const runs = await kit.drain();
    expect(runs.map(({ outcome }) => outcome)).toEqual(['archived', 'crashed', 'completed']);
    expect(module.get(Scripted).seen).toEqual(['fail', 'a', 'b']);
  });
});

describe('loseLease', () => {
  it('gives the next task to another worker, so that it runs twice', async () => {
    const { kit, client, module } = await appWith([Scripted]);
    await kit.loseLease();
    await client.enqueue('note', { text: 'twice' });
    const runs = await kit.drain();
    expect(runs.map(({ outcome }) => outcome).toSorted()).toEqual(['completed', 'lost']);
    expect(module.get(Scripted).seen).toEqual(['twice', 'twice']);
  });

  it('tells a running handler to stop', async () => {
    const { kit, client } = await appWith([Scripted]);
    await client.enqueue('wait', {}, { maxRetry: 0 });
    await kit.advance(0);
    await kit.loseLease('wait');
    expect(await kit.drain()).toMatchObject([{ outcome: 'lost', type: 'wait' }]);
    expect(kit.tasks()).toMatchObject([{ state: 'archived', lastError: expect.stringContaining('lease') as unknown }]);
  });
});

describe('brokerDown', () => {
  it('refuses what is enqueued until time has passed', async () => {
    const { kit, client } = await appWith([Scripted]);
    kit.brokerDown('1m');
    await expect(client.enqueue('note', {})).rejects.toMatchObject({ code: 'ASYNQ_BROKER_UNAVAILABLE' });
    await kit.advance('59s');
    await expect(client.enqueue('note', {})).rejects.toMatchObject({ code: 'ASYNQ_BROKER_UNAVAILABLE' });
    await kit.advance('1s');
    await client.enqueue('note', {});
    expect(await kit.drain()).toMatchObject([{ outcome: 'completed' }]);
  });

  it('keeps the outcome of a run until the broker is back', async () => {
    @Injectable()
    class Saboteur {
      static kit: Pick<AsynqTestKit, 'brokerDown'>;

      @TaskHandler('sabotage')
      sabotage(): void {
        Saboteur.kit.brokerDown('10s');
      }
    }
    const { kit, client } = await appWith([Saboteur]);
    Saboteur.kit = kit;
    await client.enqueue('sabotage', {});
    const runs = await kit.advance('1m');
    expect(runs.map(({ outcome }) => outcome)).toEqual(['completed']);
    expect(kit.tasks()).toEqual([]);
    expect(client).toBeInstanceOf(AsynqClient);
  });
});
