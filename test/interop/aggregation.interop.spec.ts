import { AsynqServer } from '../../lib/engine/server/asynq-server.js';
import type { TaskGroup } from '../../lib/engine/maintenance/task-group.js';
import { TaskMux } from '../../lib/engine/server/task-mux.js';
import { DuplicateTaskError } from '../../lib/model/errors/task-errors.js';
import { sharedRedisUrl } from '../support/redis-server.js';
import { until } from '../support/until.js';
import { acrossLanguages } from './support/across.js';

describe('aggregating across languages', () => {
  const across = acrossLanguages();
  const servers: AsynqServer[] = [];
  afterEach(async () => {
    await Promise.all(servers.splice(0).map(async (server) => await server.shutdown()));
  });

  /** A server of ours that only aggregates; `seen` gets what it was given. */
  const aggregate = async (
    options: { readonly queue: string; readonly groupMaxSize?: number },
    seen: TaskGroup[],
  ): Promise<AsynqServer> => {
    const { queue, groupMaxSize = 0 } = options;
    const server = new AsynqServer({
      redis: sharedRedisUrl(),
      queues: { [queue]: 1 },
      groupGracePeriod: '1s',
      groupMaxSize,
      aggregator: (group) => {
        seen.push(group);
        const lines = group.tasks.map((task) => task.rawPayload.toString());
        return ['ok:combined', Buffer.from(lines.join('\n')), { maxRetry: 3 }];
      },
    });
    servers.push(server);
    await server.start(new TaskMux());
    return server;
  };

  it('S-110 S-117 aggregates here what Go enqueued, into a task that Go handles', async () => {
    const queue = across.aQueue('from-go');
    const options = { queue, group: 'digest:ada' };
    const headers = { lang: 'go' };
    for (const n of [1, 2, 3]) await across.go.enqueue({ type: 'note', payload: `${n}`, headers, options });
    const seen: TaskGroup[] = [];
    await aggregate({ queue }, seen);
    const there = await across.aGoWorker({ queues: { [queue]: 1 } });
    const combined = await there.waitFor('that it has handled the task', ({ event }) => event === 'end');
    expect(combined).toMatchObject({ type: 'ok:combined', queue, maxRetry: 3 });
    expect(
      Buffer.from(combined.payload ?? '', 'base64')
        .toString()
        .split('\n')
        .sort(),
    ).toEqual(['1', '2', '3']);
    expect(seen).toHaveLength(1);
    expect(seen[0]?.tasks.map(({ type, headers }) => [type, { ...headers }])).toEqual(
      Array.from({ length: 3 }, () => ['note', { lang: 'go' }]),
    );
    await until('nothing is left', async () => (await across.inspector.queue(queue)).Size === 0);
  });

  it('P-103 keeps the lock of a Go member that was aggregated here', async () => {
    const queue = across.aQueue('locked');
    const options = { queue, group: 'g', unique: 3_600_000 };
    await across.go.enqueue({ type: 'note', payload: '{"u":1}', options });
    const server = await aggregate({ queue }, []);
    await new Promise((resolve) => server.events.once('aggregated', resolve));

    const twin = across.client.enqueue('note', { u: 1 }, { queue, group: 'g', unique: '1h' });
    await expect(twin).rejects.toThrow(DuplicateTaskError);
    expect((await across.go.tryEnqueue({ type: 'note', payload: '{"u":1}', options })).refusal).toBe('duplicate');
  });

  it('aggregates one queue here and in Go at the same time, without losing or duplicating tasks', async () => {
    const queue = across.aQueue('both');
    const numbers = Array.from({ length: 240 }, (_, n) => n);
    const groupOf = (n: number): string => `g:${n % 24}`;
    const seen: TaskGroup[] = [];
    const there = await across.aGoWorker({ queues: { [queue]: 1 }, groupSize: 4, groupGrace: 1_000 });
    await aggregate({ queue, groupMaxSize: 4 }, seen);
    await aggregate({ queue, groupMaxSize: 4 }, seen);
    for (const n of numbers) {
      const options = { queue, group: groupOf(n) };
      if (n % 2 === 0) await across.go.enqueue({ type: 'note', payload: `${n}`, options });
      else await across.client.enqueue('note', Buffer.from(`${n}`), options);
    }
    // Every combined task is handled by Go, whoever made it.
    const handled = (): readonly string[] =>
      there.ended.flatMap(({ payload }) =>
        Buffer.from(payload ?? '', 'base64')
          .toString()
          .split('\n'),
      );
    await until('every member is in a combined task', () => handled().length >= numbers.length, { within: '20s' });
    expect([...handled()].map(Number).sort((a, b) => a - b)).toEqual(numbers);
    expect(seen.length).toBeGreaterThan(0);
    await until('nothing is left', async () => (await across.inspector.queue(queue)).Size === 0);
    expect(await across.redis.keys(`asynq:{${queue}}:t:*`)).toEqual([]);
  });
});
