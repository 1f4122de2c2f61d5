import { defineTask } from '../../lib/index.js';
import { asynqMatchers, type AsynqMatchers, TestExpectationError } from '../../lib/testing/index.js';
import { appWith, closeApps, Scripted } from './app-under-test.js';

declare global {
  // The way jest's own types are extended.
  namespace jest {
    interface Matchers<R> extends AsynqMatchers<R> {}
  }
}

expect.extend(asynqMatchers);
afterEach(closeApps);

const Note = defineTask<{ text: string }>('note');

function failureOf(run: () => void): string {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(TestExpectationError);
    return (error as Error).message;
  }
  throw new Error('It did not fail');
}

describe('expectEnqueued', () => {
  it('finds a task by some of its properties', async () => {
    const { kit, client } = await appWith([Scripted]);
    await client.enqueue(
      'note',
      { text: 'hi', user: { id: 42, name: 'Ada' }, tags: ['a', 'b'] },
      { queue: 'low', processIn: '1h', maxRetry: 3, headers: { trace: 'x' }, unique: '2h', retention: '1d' },
    );
    kit.expectEnqueued('note');
    kit.expectEnqueued(Note, { payload: { user: { id: 42 } }, queue: 'low', processIn: '60m', maxRetry: 3, count: 1 });
    kit.expectEnqueued('note', { payload: { text: expect.stringMatching(/^h/) as unknown, tags: ['a', 'b'] } });
    kit.expectEnqueued('note', { processAt: new Date(kit.now().getTime() + 3_600_000), state: 'scheduled' });
    kit.expectEnqueued('note', { headers: { trace: 'x' }, unique: '3h', retention: '24h', instance: 'default' });
    kit.expectNotEnqueued('note', { payload: { tags: ['a'] } });
    kit.expectNotEnqueued('other');
  });

  it('still finds a task that has run', async () => {
    const { kit, client } = await appWith([Scripted]);
    await client.enqueue('note', {});
    await kit.drain();
    kit.expectEnqueued('note', { state: 'gone', processIn: 0 });
  });

  it('counts exactly', async () => {
    const { kit, client } = await appWith([Scripted]);
    await client.enqueue('note', {});
    await client.enqueue('note', {});
    kit.expectEnqueued('note', { count: 2 });
    expect(failureOf(() => kit.expectEnqueued('note', { count: 1 }))).toMatch(
      /But there are 2:(\n {2}[\w-]+ in queue 'default' .*){2}$/,
    );
    kit.expectEnqueued('other', { count: 0 });
  });

  it('shows the nearest task and how it differs', async () => {
    const { kit, client } = await appWith([Scripted]);
    await client.enqueue('note', { text: 'far', user: { id: 1 } }, { taskId: 'far', queue: 'low' });
    await client.enqueue('note', { text: 'near', user: { id: 42 } }, { taskId: 'near' });
    const expected = { payload: { user: { id: 42 } }, queue: 'critical' };
    expect(failureOf(() => kit.expectEnqueued('note', expected))).toBe(
      [
        'Expected a task of type "note" with',
        '  payload: { user: { id: 42 } }',
        "  queue: 'critical'",
        'to have been enqueued',
        '',
        'The nearest of that type:',
        "  near in queue 'default' (pending): { text: 'near', user: { id: 42 } }",
        "    queue: expected 'critical', got 'default'",
        "  far in queue 'low' (pending): { text: 'far', user: { id: 1 } }",
        '    payload.user.id: expected 42, got 1',
        "    queue: expected 'critical', got 'low'",
      ].join('\n'),
    );
  });

  it('shows what was found and the nearest tasks when there are too few', async () => {
    const { kit, client } = await appWith([Scripted]);
    for (const queue of ['low', 'high']) await client.enqueue('note', {}, { queue, taskId: queue });
    expect(failureOf(() => kit.expectEnqueued('note', { queue: 'low', count: 2 }))).toContain(
      "But there is one:\n  low in queue 'low' (pending): {}\n\nThe nearest of that type:\n  high in queue",
    );
  });

  it('names what else was enqueued when no task of the type was', async () => {
    const { kit, client } = await appWith([Scripted]);
    expect(failureOf(() => kit.expectEnqueued('note'))).toContain('Nothing else was enqueued');
    await client.enqueue('fail', {});
    expect(failureOf(() => kit.expectEnqueued('note'))).toContain('Other types that were enqueued: fail (1)');
  });

  it('refuses an expectation without a known property', async () => {
    const { kit } = await appWith([Scripted]);
    const misspelt = { queu: 'low' } as object;
    expect(() => kit.expectEnqueued('note', misspelt)).toThrow('did you mean queue?');
    expect(() => kit.expectEnqueued('note', { processIn: 'soon' as never })).toThrow('expected: processIn');
  });
});

describe('enqueued and tasks', () => {
  it('pick by type, queue and state, and refuse other names', async () => {
    const { kit, client } = await appWith([Scripted]);
    await client.enqueue('note', {}, { taskId: 'done' });
    await kit.drain();
    await client.enqueue('note', {}, { taskId: 'waits', queue: 'low' });
    expect(kit.enqueued({ type: Note, state: 'gone' })).toMatchObject([{ id: 'done' }]);
    expect(kit.enqueued({ queue: 'low' })).toMatchObject([{ id: 'waits' }]);
    expect(kit.tasks({ state: 'pending' })).toMatchObject([{ id: 'waits' }]);
    const misspelt = { typ: 'note' } as object;
    expect(() => kit.enqueued(misspelt)).toThrow('enqueued: typ is not an option; did you mean type?');
    expect(() => kit.tasks(misspelt)).toThrow('tasks: typ is not an option');
  });
});

describe('toHaveEnqueued', () => {
  it('passes and fails as expectEnqueued does, and the other way round after not', async () => {
    const { kit, client } = await appWith([Scripted]);
    await client.enqueue('note', { text: 'hi' }, { taskId: 'one' });
    expect(kit).toHaveEnqueued('note', { payload: { text: 'hi' } });
    expect(kit).not.toHaveEnqueued(Note, { payload: { text: 'bye' } });
    expect(() => expect(kit).not.toHaveEnqueued('note')).toThrow('But there is one:\n  one in queue');
    expect(() => expect(kit).toHaveEnqueued('note', { queue: 'low' })).toThrow("queue: expected 'low', got 'default'");
  });

  it('needs nothing of jest: it answers any test runner that extends expect by functions', async () => {
    const { kit } = await appWith([Scripted]);
    const { pass, message } = asynqMatchers.toHaveEnqueued(kit, 'note');
    expect(pass).toBe(false);
    expect(message()).toContain('Expected a task of type "note" to have been enqueued');
    expect(() => asynqMatchers.toHaveEnqueued({}, 'note')).toThrow('an AsynqTestKit');
  });
});
