// A worker in a process of its own, as a Nest app: `node --expose-gc worker.js '<settings as JSON>'`.
import { type DynamicModule, Injectable, Module, type Provider } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AsynqModule, Task, TaskHandler } from 'nestjs-asynq';
import type { FromWorker, ToWorker, WorkerSettings } from './worker-messages.js';

const settings = JSON.parse(process.argv[2] ?? '') as WorkerSettings;
let handled = 0;
let ids: string[] = [];
let lateness: number[] = [];

const handlers: Readonly<Record<WorkerSettings['handler'], (task: Task) => unknown>> = {
  count: () => undefined,
  report: (task) => report(task.id),
  due: (task) => report(task.id, Date.now() - (task.payload as { dueAt: number }).dueAt),
  hang: async (task) => {
    report(task.id);
    await new Promise((resolve) => task.signal.addEventListener('abort', resolve, { once: true }));
    throw task.signal.reason;
  },
  work: async (task) => {
    await new Promise((resolve) => setTimeout(resolve, 5));
    report(task.id);
  },
};
const handle = handlers[settings.handler];

/** A provider class with one decorated handler, as many as there are types. */
function providerOf(type: string): Provider {
  @Injectable()
  class DrillTasks {
    @TaskHandler(type)
    async run(task: Task): Promise<void> {
      handled++;
      await handle(task);
    }
  }
  return { provide: `tasks of ${type}`, useClass: DrillTasks };
}

@Module({})
class DrillModule {
  static of({ redis, concurrency, queues, types }: WorkerSettings): DynamicModule {
    const server = {
      concurrency,
      queues: Object.fromEntries(queues.map((queue) => [queue, 1])),
    };
    return {
      module: DrillModule,
      imports: [AsynqModule.forRoot({ redis, server })],
      providers: types.map(providerOf),
    };
  }
}

// Ids are sent in bunches: one message for each would be most of the work.
function report(id: string, late = 0): void {
  if (ids.length === 0) setImmediate(flush);
  ids.push(id);
  lateness.push(late);
}

function flush(): void {
  send({ kind: 'tasks', ids, lateness });
  ids = [];
  lateness = [];
}

function send(message: FromWorker): void {
  process.send?.(message);
}

process.on('message', ({ garbage }: ToWorker) => {
  const { gc } = globalThis as { gc?: () => void };
  // What the first round frees lets a second one free more (finalizers, weak references).
  if (garbage === 'collect') for (let round = 0; round < 3; round++) gc?.();
  const { user, system } = process.cpuUsage();
  send({ kind: 'usage', handled, heapBytes: process.memoryUsage().heapUsed, cpuMicros: user + system });
});
process.on('disconnect', () => process.exit());

const app = await NestFactory.createApplicationContext(DrillModule.of(settings), {});
app.enableShutdownHooks();
send({ kind: 'ready' });
