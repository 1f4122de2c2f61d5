import { Controller, Inject, Injectable, Module, Scope } from '@nestjs/common';
import {
  type ContextId,
  ContextIdFactory,
  type ContextIdStrategy,
  type HostComponentInfo,
  REQUEST,
} from '@nestjs/core';
import { AsynqModule, InvalidOptionError, Task, TaskHandler, TaskPayload } from '../../lib/index.js';
import { aQueue, cleanUp, options, resultOf, startApp } from './support.js';

afterEach(cleanUp);

const registered = () => AsynqModule.forRoot(options(aQueue()));

describe('a request-scoped provider', () => {
  let made = 0;

  @Injectable({ scope: Scope.REQUEST })
  class Audit {
    readonly serial = ++made;
    constructor(@Inject(REQUEST) readonly task: Task) {}
  }

  @Injectable()
  class ScopedTasks {
    constructor(private readonly audit: Audit) {}

    @TaskHandler('scoped')
    handle(task: Task) {
      return { serial: this.audit.serial, sameTask: this.audit.task === task };
    }

    @TaskHandler('scoped:parameters')
    parameters(@TaskPayload('n') n: number) {
      return { serial: this.audit.serial, n };
    }
  }

  it('is created for every task, with the task as REQUEST', async () => {
    made = 0;
    const test = await startApp({ imports: [registered()], providers: [Audit, ScopedTasks] });
    expect(made).toBe(0);
    expect(await resultOf(test, 'scoped')).toEqual({ serial: 1, sameTask: true });
    expect(await resultOf(test, 'scoped')).toEqual({ serial: 2, sameTask: true });
    expect(await resultOf(test, 'scoped:parameters', { n: 5 })).toEqual({ serial: 3, n: 5 });
  });

  it('is resolved by its own token in its own module', async () => {
    @Module({ providers: [Audit, { provide: 'TASKS', useClass: ScopedTasks }] })
    class FeatureModule {}
    // Something else under the same token must not be taken for it.
    const providers = [{ provide: 'TASKS', useValue: {} }];
    const test = await startApp({ imports: [FeatureModule, registered()], providers });
    expect(await resultOf(test, 'scoped')).toMatchObject({ sameTask: true });
  });

  it('fails only its own task when it cannot be created', async () => {
    let refuses = true;
    @Injectable({ scope: Scope.REQUEST })
    class Fragile {
      constructor() {
        if (refuses) throw new Error('no luck');
      }
      @TaskHandler('fragile')
      handle() {
        return 'made';
      }
    }
    const test = await startApp({ imports: [registered()], providers: [Fragile] });
    const archived = new Promise<unknown>((resolve) =>
      test.server.events.on('archived', ({ error }) => resolve(error)),
    );
    await test.client.enqueue('fragile');
    expect(await archived).toMatchObject({ message: 'no luck' });
    refuses = false;
    expect(await resultOf(test, 'fragile')).toBe('made');
  });
});

it('a transient provider is created for every task', async () => {
  let made = 0;
  @Injectable({ scope: Scope.TRANSIENT })
  class TransientTasks {
    readonly serial = ++made;
    @TaskHandler('transient')
    handle() {
      return this.serial;
    }
  }
  const test = await startApp({ imports: [registered()], providers: [TransientTasks] });
  const first = Number(await resultOf(test, 'transient'));
  expect(await resultOf(test, 'transient')).toBe(first + 1);
});

describe('a durable provider', () => {
  afterAll(() => {
    // Nest keeps the strategy for the process and has no way to take it back.
    ContextIdFactory.apply(undefined as never);
  });

  it('is shared by the tasks that the context strategy groups', async () => {
    const tenants = new Map<string, ContextId>();
    const byTenant: ContextIdStrategy = {
      attach(contextId: ContextId, request: unknown) {
        const tenant = request instanceof Task ? (request.payload as string) : 'none';
        const shared = tenants.get(tenant) ?? ContextIdFactory.create();
        tenants.set(tenant, shared);
        return {
          resolve: (info: HostComponentInfo) => (info.isTreeDurable ? shared : contextId),
          payload: { tenant },
        };
      },
    };
    ContextIdFactory.apply(byTenant);
    let made = 0;
    @Injectable({ scope: Scope.REQUEST, durable: true })
    class TenantTasks {
      readonly serial = ++made;
      constructor(@Inject(REQUEST) private readonly context: { tenant: string }) {}
      @TaskHandler('tenant')
      handle() {
        return `${this.context.tenant} ${this.serial}`;
      }
    }
    let cachesMade = 0;
    @Injectable({ scope: Scope.REQUEST, durable: true })
    class TenantCache {
      readonly serial = ++cachesMade;
      @TaskHandler('cache')
      handle() {
        return this.serial;
      }
    }
    const test = await startApp({ imports: [registered()], providers: [TenantTasks, TenantCache] });
    expect(await resultOf(test, 'tenant', 'ann')).toBe('ann 1');
    expect(await resultOf(test, 'tenant', 'bob')).toBe('bob 2');
    expect(await resultOf(test, 'tenant', 'ann')).toBe('ann 1');
    const caches: unknown[] = [];
    for (const tenant of ['ann', 'bob', 'ann', 'bob']) caches.push(await resultOf(test, 'cache', tenant));
    expect(caches).toEqual([1, 2, 1, 2]);
  });
});

it('a request-scoped controller is refused, since Nest creates it only for its routers', async () => {
  @Controller({ scope: Scope.REQUEST })
  class ScopedController {
    @TaskHandler('x')
    handle() {}
  }
  const boot = startApp({ imports: [registered()], controllers: [ScopedController] });
  await expect(boot).rejects.toThrow(InvalidOptionError);
  await expect(boot).rejects.toThrow('@TaskHandler on ScopedController.handle in AppModule');
});
