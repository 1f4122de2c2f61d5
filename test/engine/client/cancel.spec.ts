import { aGate } from '../../support/until.js';
import { ClientUnderTest } from './client-under-test.js';

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
  ] as const)('of a waiting task with then: %p is answered by %s', async (then, outcome) => {
    const { id } = await subject.client.enqueue('x');
    const options = { queue: subject.queue, ...(then === undefined ? {} : { then }) };
    expect(await subject.client.cancel(id, options)).toBe(outcome);
  });

  it('looks in the queue that the client enqueues to unless told, and says when there is no such task', async () => {
    const { id } = await subject.client.enqueue('x');
    expect(await subject.client.cancel(id, { queue: 'default' })).toBe('not-found');
    expect(await subject.client.cancel(id)).toBe('archived');
    expect(await subject.client.cancel('nobody', { queue: subject.queue })).toBe('not-found');
  });

  it.each<[readonly unknown[], string]>([
    [[''], 'cancel: taskId must be text that is not blank, got ""'],
    [['x', { queue: ' ' }], 'cancel: options.queue must be text'],
    [['x', { then: 'drop' }], "cancel: options.then must be one of 'archive', 'delete', 'retry', got \"drop\""],
    [['x', { than: 'retry' }], 'cancel: options.than is not an option; did you mean then?'],
  ])('refuses %j', async (args, message) => {
    await expect(subject.client.cancel(...(args as [string]))).rejects.toThrow(message);
  });

  it('P-111 by signal publishes the bare id', async () => {
    const heard = aGate<string>();
    const stop = await subject.broker.presence.subscribe({
      onCancel: (taskId, request) => {
        if (taskId === subject.queue) heard.open(request === undefined ? 'bare' : 'with a request');
      },
      onWake: () => {},
      onDue: () => {},
      onReconnect: () => {},
    });
    await subject.client.signalCancel(subject.queue);
    expect(await heard.opened).toBe('bare');
    await stop();
    await expect(subject.client.signalCancel(' ')).rejects.toThrow('signalCancel: taskId must be text');
  });
});
