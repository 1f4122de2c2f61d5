import { defineTask } from '../../../lib/model/task/task-definition.js';
import { aGate } from '../../support/until.js';
import { ClientUnderTest } from './client-under-test.js';
import { signalListener } from '../../support/signal-listener.js';

describe('cancel', () => {
  let subject: ClientUnderTest;

  beforeAll(() => {
    subject = ClientUnderTest.open();
  });

  afterAll(async () => await subject.close());

  it.each([
    [undefined, 'archived'],
    ['archive', 'archived'],
    ['delete', 'deleted'],
    ['retry', 'kept'],
  ] as const)('of a waiting task with outcome: %p resolves with %s', async (outcome, result) => {
    const { id } = await subject.client.enqueue('x');
    const options = { queue: subject.queue, ...(outcome === undefined ? {} : { outcome }) };
    expect(await subject.client.cancel(id, options)).toBe(result);
  });

  it('uses the client’s default queue unless another one is given, and reports an unknown task', async () => {
    const { id } = await subject.client.enqueue('x');
    expect(await subject.client.cancel(id, { queue: 'default' })).toBe('not-found');
    expect(await subject.client.cancel(id)).toBe('archived');
    expect(await subject.client.cancel('nobody', { queue: subject.queue })).toBe('not-found');
  });

  it('accepts the result of enqueue, and uses its queue', async () => {
    const info = await subject.client.enqueue('x', null, { queue: subject.anotherQueue() });
    expect(await subject.client.cancel(info, { outcome: 'delete' })).toBe('deleted');
    const { id, queue } = await subject.client.enqueue('x', null, { queue: subject.anotherQueue() });
    expect(await subject.client.cancel({ id, queue })).toBe('archived');
  });

  it('accepts an id with a definition, and uses the definition’s queue', async () => {
    const Import = defineTask('feed:import', { queue: subject.anotherQueue() });
    const Export = defineTask('feed:export');
    const imported = await subject.client.enqueue(Import);
    const exported = await subject.client.enqueue(Export);
    expect(await subject.client.cancel(imported.id)).toBe('not-found');
    expect(await subject.client.cancel(imported.id, { definition: Import })).toBe('archived');
    expect(await subject.client.cancel(exported.id, { definition: Export })).toBe('archived');
  });

  it.each<[readonly unknown[], string]>([
    [[''], 'cancel: taskId must be text that is not blank, got ""'],
    [['x', { queue: ' ' }], 'cancel: options.queue must be text'],
    [['x', { outcome: 'drop' }], "cancel: options.outcome must be one of 'archive', 'delete', 'retry', got \"drop\""],
    [['x', { outcom: 'retry' }], 'cancel: options.outcom is not an option; did you mean outcome?'],
    [[{ id: 'x' }], 'cancel: task.queue must be text that is not blank, got undefined'],
    [[{ id: '', queue: 'q' }], 'cancel: task.id must be text that is not blank, got ""'],
    [[undefined], 'cancel: task must be an object, got undefined'],
    [
      [{ id: 'x', queue: 'q' }, { queue: 'q' }],
      'cancel: options.queue must be left out, since the task knows its queue',
    ],
    [['x', { queue: 'q', definition: defineTask('y') }], 'cancel: options.queue must be left out with a definition'],
    [['x', { definition: 'y' }], 'A task must be a type or a definition from defineTask, got "y"'],
  ])('refuses %j', async (args, message) => {
    await expect(subject.client.cancel(...(args as [string]))).rejects.toThrow(message);
  });

  it('P-111 publishes the bare id', async () => {
    const heard = aGate<string>();
    const listener = signalListener({
      onCancel: (taskId, request) => {
        if (taskId === subject.queue) heard.open(request === undefined ? 'bare' : 'with a request');
      },
    });
    const stop = await subject.broker.presence.subscribe(listener);
    await subject.client.signalCancel(subject.queue);
    expect(await heard.opened).toBe('bare');
    await stop();
    await expect(subject.client.signalCancel(' ')).rejects.toThrow('signalCancel: taskId must be text');
  });
});
