import { TaskMux } from '../../../lib/engine/server/task-mux.js';
import { UnknownTypes } from '../../../lib/engine/server/unknown-types.js';
import { aTaskMessage } from '../../support/a-task-message.js';
import { VirtualClock } from '../../support/virtual-clock.js';
import { ServerUnderTest } from '../server-under-test.js';

describe('a task of a type without a handler', () => {
  let test: ServerUnderTest;

  beforeEach(() => {
    test = ServerUnderTest.open({ time: 'virtual' });
  });

  afterEach(async () => await test.close());

  const mux = (type: string): TaskMux => new TaskMux().handle(type, () => 'done');

  it('stays in its queue without using up a retry, and is logged once', async () => {
    const id = await test.enqueue({ type: 'other:task' });
    await test.start(mux('email:'));
    await test.time.advance('10m');
    expect(test.happened('returned').length).toBeLessThanOrEqual(2);
    expect(await test.stateOf(id)).toBe('pending');
    expect(await test.message(id)).toMatchObject({ retried: 0, errorMessage: '', lastFailedAtSeconds: 0 });
    expect(await test.redis.exists(test.keys.failed, test.keys.processed)).toBe(0);
    expect(test.logger.messages('warn').filter((line) => line.includes('other:task'))).toHaveLength(1);
  });

  it('is left to the one worker that has a handler', async () => {
    const fleet = ServerUnderTest.open();
    for (let index = 0; index < 5; index += 1) {
      await fleet.start(mux('email:'), { redis: fleet.url, broker: undefined as never });
    }
    const ids = new Set<string>();
    for (let index = 0; index < 10; index += 1) ids.add(await fleet.enqueue({ type: 'other:task' }));
    await fleet.untilHappened('returned', 1);
    await fleet.start(mux('other:'), { redis: fleet.url, broker: undefined as never });
    const completed = await fleet.untilHappened('completed', 10);
    expect(new Set(completed.map(({ task }) => task.id))).toEqual(ids);
    expect(completed.map(({ task }) => task.retried)).toEqual(Array.from(ids, () => 0));
    await fleet.close();
  });

  it('keeps its place in the queue', async () => {
    const ids: string[] = [];
    for (let index = 0; index < 50; index += 1) ids.push(await test.enqueue({ type: `other:${index % 3}` }));
    await test.start(mux('email:'));
    await test.time.advance('5s');
    // What the first fetch took, before the type was known to be unknown, went back to the head.
    expect(await test.redis.lrange(test.keys.pending, 0, 39)).toEqual(ids.slice(10).toReversed());
  });

  it('does not hide a known task behind thousands of others', async () => {
    for (let index = 0; index < 2_500; index += 1) await test.enqueue({ type: 'other:task' });
    const known = await test.enqueue({ type: 'email:x' });
    await test.start(mux('email:'));
    await test.time.advance('1s');
    expect(await test.stateOf(known)).toBe('gone');
    const later = await test.enqueue({ type: 'email:y' });
    await test.time.advance('200ms');
    expect(await test.stateOf(later)).toBe('gone');
  });

  it('is not taken again and again when a prefix matches it but the nested mux does not', async () => {
    const inside = new TaskMux().handle('other:a:b', () => 'done');
    const routes = new TaskMux().handle('other:', () => 'done').handle('other:a:', inside);
    const id = await test.enqueue({ type: 'other:a:c' });
    await test.start(routes);
    await test.time.advance('30s');
    expect(test.happened('returned').length).toBeLessThanOrEqual(3);
    expect(await test.stateOf(id)).toBe('pending');
  });

  it('is taken like any other once none was found for a minute', async () => {
    const id = await test.enqueue({ type: 'other:task' });
    await test.start(mux('email:'));
    await test.time.advance('1s');
    await test.redis.lrem(test.keys.pending, 0, id);
    await test.time.advance('2m');
    await test.enqueue({ type: 'other:task' });
    await test.time.advance('1s');
    expect(test.happened('returned')).toHaveLength(2);
  });

  it('makes its server look less often while nothing else is found, down to every 100 ms', () => {
    const clock = new VirtualClock();
    const types = new UnknownTypes({ patterns: () => [], clock, logger: test.logger });
    types.taken('q', 'other:task');
    const found = { left: 'others', others: { types: ['other:task'], lookedUpTo: '' } } as const;
    const pauses = Array.from({ length: 5 }, () => types.looked('q', { ...found, messages: [] }));
    expect(pauses).toEqual([20, 40, 80, 100, 100]);
    expect(types.looked('q', { ...found, messages: [aTaskMessage()] })).toBe(10);
  });

  it('does not take slots away from known types', async () => {
    for (let index = 0; index < 50; index += 1) await test.enqueue({ type: 'other:task' });
    const known = await test.enqueue({ type: 'email:x' });
    await test.start(mux('email:'), { concurrency: 1 });
    await test.time.advance('1s');
    expect(await test.stateOf(known)).toBe('gone');
  });

  it('S-63, S-126 is retried as in Asynq, through the middleware, with unknownTask: fail', async () => {
    const seen: string[] = [];
    const id = await test.enqueue({ type: 'other:task' });
    const routes = mux('email:').use((next) => (task) => {
      seen.push(task.type);
      return next(task);
    });
    await test.start(routes, { unknownTask: 'fail' });
    await test.untilHappened('retry');
    expect(await test.message(id)).toMatchObject({
      retried: 1,
      errorMessage: 'handler not found for task "other:task"',
    });
    expect(seen).toEqual(['other:task']);
  });

  it('fails the task, not the process, when a middleware throws while it wraps the handler', async () => {
    const id = await test.enqueue({ type: 'email:x' });
    const routes = mux('email:').use(() => {
      throw new Error('not configured');
    });
    await test.start(routes);
    await test.untilHappened('retry');
    expect((await test.message(id)).errorMessage).toBe('not configured');
  });

  it('S-125 passes through the server middleware before that of the mux', async () => {
    const seen: string[] = [];
    await test.enqueue({ type: 'email:x' });
    const routes = mux('email:').use((next) => (task) => {
      seen.push('mux');
      return next(task);
    });
    await test.start(routes, {
      middleware: [
        (next) => (task) => {
          seen.push('server');
          return next(task);
        },
      ],
    });
    await test.untilHappened('completed');
    expect(seen).toEqual(['server', 'mux']);
  });
});
