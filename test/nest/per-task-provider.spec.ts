import { Inject, Injectable, Module, Scope } from '@nestjs/common';
import {
  ContextIdFactory,
  type ContextIdStrategy,
  DiscoveryModule,
  DiscoveryService,
  NestFactory,
  REQUEST,
} from '@nestjs/core';
import { detachedTask, type Task } from '../../lib/engine/server/handler-task.js';
import { jsonCodec } from '../../lib/model/task/payload.codec.js';
import { PerTaskProvider } from '../../lib/nest/execution/per-task-provider.js';
import { aTaskMessage } from '../support/a-task-message.js';

@Injectable({ scope: Scope.REQUEST })
class Scoped {
  constructor(@Inject(REQUEST) readonly task: Task) {}
}

@Module({ imports: [DiscoveryModule], providers: [Scoped] })
class AppModule {}

const aTask = (): Task => detachedTask(aTaskMessage(), jsonCodec);

async function provider(instrument?: { readonly instanceDecorator: (instance: unknown) => unknown }) {
  const app = await NestFactory.createApplicationContext(
    AppModule,
    instrument === undefined ? { logger: false } : { logger: false, instrument },
  );
  const host = app
    .get(DiscoveryService)
    .getProviders()
    .find(({ token }) => token === Scoped);
  if (host === undefined) throw new Error('no provider');
  return new PerTaskProvider(host);
}

it('Nest creates the first instances, and later ones are constructed synchronously', async () => {
  const scoped = await provider();
  const [first, second, third] = [aTask(), aTask(), aTask()];
  const created = [scoped.create(first), scoped.create(second)];
  expect(created).toEqual([expect.any(Promise), expect.any(Promise)]);
  expect([await created[0], await created[1]]).toEqual([{ task: first }, { task: second }]);
  const constructed = scoped.create(third);
  expect(constructed).toBeInstanceOf(Scoped);
  expect(constructed).toHaveProperty('task', third);
});

it('Nest creates every instance if the application decorates instances', async () => {
  const decorated = new Set<unknown>();
  const instanceDecorator = (instance: unknown): unknown => {
    decorated.add(instance);
    return instance;
  };
  const scoped = await provider({ instanceDecorator });
  for (const task of [aTask(), aTask(), aTask()]) expect(decorated).toContain(await scoped.create(task));
});

it("the application's context strategy is asked once for every task", async () => {
  const asked: unknown[] = [];
  const strategy: ContextIdStrategy = {
    attach: (contextId, request) => {
      asked.push(request);
      return () => contextId;
    },
  };
  const scoped = await provider();
  ContextIdFactory.apply(strategy);
  try {
    const tasks = [aTask(), aTask(), aTask()];
    for (const task of tasks) expect(await scoped.create(task)).toEqual({ task });
    expect(asked).toEqual(tasks);
  } finally {
    // Nest keeps the strategy for the process and has no way to take it back.
    ContextIdFactory.apply(undefined as never);
  }
});

it('Nest creates the instance for a task that has a context already', async () => {
  const scoped = await provider();
  await scoped.create(aTask());
  const task = aTask();
  // Nest's routers attach a context to a request like this.
  Object.defineProperty(task, Symbol('context'), { value: ContextIdFactory.create() });
  expect(await scoped.create(task)).toEqual({ task });
  expect(scoped.create(task)).toBeInstanceOf(Promise);
});
