import { ms } from '../../lib/model/time/duration.js';
import { startRedis } from '../support/redis-server.js';
import { until } from '../support/until.js';
import { QueueUnderTest } from './queue-under-test.js';

describe('waiting for a task', () => {
  let tasks: QueueUnderTest;
  beforeEach(() => {
    tasks = QueueUnderTest.open();
  });
  afterEach(async () => await tasks.close());

  const wait = (options: { readonly timeout?: number; readonly signal?: AbortSignal } = {}) =>
    tasks.broker.work.waitForTask({
      queue: tasks.queue,
      timeout: ms(options.timeout ?? 20_000),
      signal: options.signal ?? new AbortController().signal,
    });
  const blocked = async (): Promise<boolean> =>
    /blocked_clients:[1-9]/.test(await tasks.redis.info('clients')) &&
    String(await tasks.redis.client('LIST')).includes('cmd=blmove');

  it('ends as soon as there is one, and leaves the queue as it is', async () => {
    const waiting = wait();
    await until('the server lets us wait', blocked);
    await tasks.enqueue({ id: 'a' }, { id: 'b' });
    expect(await waiting).toBe('task');
    expect(await wait()).toBe('task');
    expect(await tasks.redis.lrange(tasks.keys.pending, 0, -1)).toEqual(['b', 'a']);
  });

  it('hears tasks that other programs enqueue', async () => {
    const waiting = wait();
    await until('the server lets us wait', blocked);
    await tasks.redis.lpush(tasks.keys.pending, 'a');
    expect(await waiting).toBe('task');
    expect(await tasks.placesOf('a')).toEqual(['pending']);
  });

  it('ends with none when the time is over', async () => {
    expect(await wait({ timeout: 20 })).toBe('none');
  });

  it('ends with none when it is told to', async () => {
    const controller = new AbortController();
    const waiting = wait({ signal: controller.signal });
    await until('the server lets us wait', blocked);
    controller.abort();
    expect(await waiting).toBe('none');
    expect(await wait({ signal: controller.signal })).toBe('none');
  });

  it('P-58 sends its caller polling while the queue is paused', async () => {
    await tasks.enqueue({ id: 'a' });
    await tasks.redis.set(tasks.keys.paused, '1');
    expect(await wait()).toBe('busy');
    await tasks.redis.del(tasks.keys.paused);
    expect(await wait()).toBe('task');
  });

  it('sends its caller polling where the server does not let us wait', async () => {
    const server = await startRedis({ acl: ['default on nopass ~* &* +@all -blmove'] });
    const refused = QueueUnderTest.open({ url: server.url });
    const signal = new AbortController().signal;
    await refused.enqueue({ id: 'a' });
    expect(await refused.broker.work.waitForTask({ queue: refused.queue, timeout: ms(10_000), signal })).toBe('busy');
    expect((await refused.dequeue()).messages).toHaveLength(1);
    await refused.close();
    await server.stop();
  });
});
