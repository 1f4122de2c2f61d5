import { Inject, Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AsynqClient, AsynqModule, type Task, TaskHandler } from '../../lib/index.js';
import { sharedRedisUrl } from '../support/redis-server.js';
import { until } from '../support/until.js';
import { acrossLanguages } from './support/across.js';
import { deadlineOf, optionSets } from './support/option-sets.js';

interface Run {
  readonly task: Task;
  readonly payload: unknown;
  readonly startedAt: number;
}

@Injectable()
class Handlers {
  readonly runs: Run[] = [];

  constructor(@Inject(AsynqClient) readonly client: AsynqClient) {}

  @TaskHandler('ok')
  @TaskHandler('ok:')
  handle(task: Task): unknown {
    this.runs.push({ task, payload: task.payload, startedAt: Date.now() });
    return { handled: task.id };
  }
}

/** A Nest application that consumes one queue. */
async function anApplication(queue: string) {
  @Module({
    imports: [AsynqModule.forRoot({ redis: sharedRedisUrl(), server: { queues: { [queue]: 1 }, concurrency: 10 } })],
    providers: [Handlers],
  })
  class AppModule {}
  const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
  return { app, handlers: app.get(Handlers) };
}

describe('a Nest application and Go', () => {
  const across = acrossLanguages();

  it('P-112 a decorated method gets what Go enqueued, with every combination of options', async () => {
    const queue = across.aQueue('nest-from-go');
    const ids = new Map<string, string>();
    for (const { name, go: options, headers } of optionSets) {
      const task = { type: `ok:${name}`, payload: JSON.stringify({ name }), options: { ...options, queue } };
      ids.set(name, (await across.go.enqueue({ ...task, ...(headers && { headers }) })).id);
    }

    const { app, handlers } = await anApplication(queue);
    await until('all are handled', () => handlers.runs.length === optionSets.length);
    await app.close();

    for (const set of optionSets) {
      const run = handlers.runs.find(({ task }) => task.id === ids.get(set.name));
      expect(run?.payload).toEqual({ name: set.name });
      expect(run?.task).toMatchObject({ type: `ok:${set.name}`, queue, retried: 0, maxRetry: set.go.maxRetry ?? 25 });
      expect({ ...run?.task.headers }).toEqual(set.headers ?? {});
      const deadline = deadlineOf(set, run?.startedAt ?? 0);
      expect(Math.abs((run?.task.deadline.getTime() ?? 0) - deadline)).toBeLessThan(1_000);
    }
    const retained = optionSets.filter(({ go }) => go.retention !== undefined);
    const completed = await across.inspector.list(queue, 'completed');
    expect(completed).toHaveLength(retained.length);
    for (const { id, result } of completed) {
      expect(JSON.parse(Buffer.from(result ?? '', 'base64').toString())).toEqual({ handled: id });
    }
  });

  it('P-112 Go gets what an injected client enqueued, with every combination of options', async () => {
    const queue = across.aQueue('nest-to-go');
    const { app, handlers } = await anApplication(across.aQueue('nest-idle'));
    const ids = new Map<string, string>();
    for (const { name, ours } of optionSets) {
      ids.set(name, (await handlers.client.enqueue(`ok:${name}`, { name }, { ...ours, queue })).id);
    }

    const worker = await across.aGoWorker({ queues: { [queue]: 1 } });
    await worker.hasEndedTimes(optionSets.length);
    await app.close();

    for (const set of optionSets) {
      const run = worker.ended.find(({ id }) => id === ids.get(set.name));
      expect(run).toMatchObject({ type: `ok:${set.name}`, queue, retried: 0, maxRetry: set.go.maxRetry ?? 25 });
      expect(Buffer.from(run?.payload ?? '', 'base64').toString()).toBe(JSON.stringify({ name: set.name }));
      expect(run?.headers ?? {}).toEqual(set.headers ?? {});
      expect(Math.abs((run?.deadline ?? 0) - deadlineOf(set, run?.at ?? 0))).toBeLessThan(1_000);
    }
    expect(worker.ended).toHaveLength(optionSets.length);
  });
});
