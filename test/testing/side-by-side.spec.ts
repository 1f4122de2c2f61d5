import { Injectable, Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { AsynqClient, AsynqModule, getClientToken, InjectClient, type Task, TaskHandler } from '../../lib/index.js';
import { AsynqTestingModule, AsynqTestKit } from '../../lib/testing/index.js';
import { appWith, closeApps, Scripted } from './app-under-test.js';

afterEach(closeApps);

describe('AsynqTestingModule', () => {
  it('keeps applications apart that live side by side', async () => {
    const [one, other] = await Promise.all([appWith([Scripted]), appWith([Scripted])]);
    await one.client.enqueue('note', { text: 'one' });
    expect(other.kit.enqueued()).toEqual([]);
    await other.kit.drain();
    await other.kit.advance('1h');
    expect(one.kit.tasks()).toHaveLength(1);
    expect(one.kit.now()).not.toEqual(other.kit.now());
    expect(await one.kit.drain()).toHaveLength(1);
  });

  it('serves named instances; those on one Redis share it, others do not', async () => {
    @Injectable()
    class Invoices {
      constructor(@InjectClient('billing') readonly client: AsynqClient) {}

      @TaskHandler('invoice', { instance: 'billing' })
      pay(task: Task): string {
        return task.type;
      }
    }
    const billing = AsynqModule.forRootAsync({
      name: 'billing',
      useFactory: () => ({ redis: 'redis://elsewhere.invalid' }),
    });
    const { kit, client, module } = await appWith([Scripted, Invoices], { imports: [billing] });
    await client.enqueue('note', {});
    await module.get(Invoices).client.enqueue('invoice', {});
    expect(kit.enqueued().map(({ instance }) => instance)).toEqual(['default', 'billing']);
    kit.expectEnqueued('invoice', { instance: 'billing', state: 'pending' });
    const runs = await kit.drain();
    expect(runs.map(({ type, outcome }) => `${type} ${outcome}`).toSorted()).toEqual([
      'invoice completed',
      'note completed',
    ]);
    expect(await kit.run('invoice', {}, { instance: 'billing' })).toMatchObject({ outcome: 'completed' });
    expect(module.get(getClientToken('billing'))).not.toBe(client);
    await expect(kit.run('note', {}, { instance: 'bilin' })).rejects.toThrow('one of default, billing');
  });

  it('takes the place of another module, and leaves overridden providers alone', async () => {
    @Module({})
    class Nothing {}

    @Module({ imports: [AsynqModule.forRoot({ redis: 'redis://nowhere.invalid' }), Nothing], providers: [Scripted] })
    class AppModule {}

    const seen: string[] = [];
    const module = await Test.createTestingModule({ imports: [AppModule] })
      .overrideModule(Nothing)
      .useModule(AsynqTestingModule)
      .overrideProvider(Scripted)
      .useValue(Object.assign(Object.create(Scripted.prototype) as Scripted, { seen }))
      .compile();
    await module.init();
    await module.get(AsynqClient).enqueue('note', { text: 'seen' });
    await module.get(AsynqTestKit).drain();
    expect(seen).toEqual(['seen']);
    await module.close();
  });

  it('says what is missing when the application was not initialized', async () => {
    const module = await Test.createTestingModule({
      imports: [AsynqModule.forRoot({ redis: 'redis://nowhere.invalid' }), AsynqTestingModule],
    }).compile();
    await expect(module.get(AsynqTestKit).drain()).rejects.toThrow('await module.init() after compile()');
    await module.close();
  });

  it('runs nothing once the application is closed', async () => {
    const { kit, close } = await appWith([Scripted]);
    await close();
    await expect(kit.drain()).rejects.toThrow('drain: the application is closed');
    await expect(kit.advance('1h')).rejects.toThrow('advance: the application is closed');
    expect(kit.tasks()).toEqual([]);
  });

  it('starts where it is told, and refuses options that do not exist', async () => {
    const { kit } = await appWith([Scripted], { testing: { now: '2030-01-01T00:00:00Z' } });
    expect(kit.now().toISOString()).toBe('2030-01-01T00:00:00.000Z');
    await expect(appWith([], { testing: { sead: 1 } as object })).rejects.toThrow('did you mean seed?');
  });

  it('ends with a handler that hangs, its task back in its queue', async () => {
    const { kit, client, close } = await appWith([Scripted]);
    await client.enqueue('wait', {});
    await kit.advance(0);
    await close();
    expect(kit.logs.map(({ message }) => message)).toContainEqual(expect.stringContaining('goes back to its queue'));
  });
});

describe('clear', () => {
  it('removes everything but keeps the time', async () => {
    const { kit, client } = await appWith([Scripted]);
    await client.enqueue('note', {}, { unique: '1h' });
    await client.enqueue('fail', {}, { maxRetry: 0 });
    await kit.advance('1m');
    const now = kit.now();
    kit.failNext('note', new Error('not any more'));
    kit.clear();
    expect([kit.enqueued(), kit.tasks(), kit.logs]).toEqual([[], [], []]);
    expect(kit.now()).toEqual(now);
    await client.enqueue('note', {}, { unique: '1h' });
    expect(await kit.drain()).toMatchObject([{ outcome: 'completed' }]);
  });
});
