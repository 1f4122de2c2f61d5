import { Global, Inject, Injectable, Module } from '@nestjs/common';
import {
  AsynqClient,
  AsynqModule,
  AsynqServer,
  InjectClient,
  InjectMux,
  InjectServer,
  type Task,
  TaskHandler,
  TaskMux,
} from '../../lib/index.js';
import type { AsynqModuleOptions, AsynqOptionsFactory } from '../../lib/index.js';
import { type EngineParts, systemParts } from '../../lib/nest/asynq-instance.js';
import { enginePartsToken } from '../../lib/nest/asynq.tokens.js';
import { sharedRedisUrl } from '../support/redis-server.js';
import { aQueue, cleanUp, nextEvent, options, resultOf, startApp, startModule } from './support.js';

afterEach(cleanUp);

@Injectable()
class Greeter {
  @TaskHandler('greet')
  greet(task: Task<string>) {
    return `hello ${task.payload}`;
  }
}

describe('AsynqModule', () => {
  describe('imported bare', () => {
    const env = { ...process.env };
    afterEach(() => {
      process.env = { ...env };
    });

    it('takes Redis from ASYNQ_REDIS_URL and serves the queue "default"', async () => {
      // Nobody else may see what this test writes to the queue "default".
      process.env['ASYNQ_REDIS_URL'] = `${sharedRedisUrl()}/13`;
      process.env['REDIS_URL'] = 'redis://127.0.0.1:1';
      const test = await startApp({ imports: [AsynqModule], providers: [Greeter] });
      const completed = nextEvent(test, { event: 'completed' });
      const { queue } = await test.client.enqueue('greet', 'you');
      expect(queue).toBe('default');
      expect((await completed).task.type).toBe('greet');
    });

    it('else from REDIS_URL', async () => {
      delete process.env['ASYNQ_REDIS_URL'];
      process.env['REDIS_URL'] = sharedRedisUrl();
      const { client } = await startApp({ imports: [AsynqModule] });
      await expect(client.ping()).resolves.toBeUndefined();
    });
  });

  it('registers an instance with forRoot, for every module', async () => {
    const queue = aQueue();
    @Module({ providers: [Greeter] })
    class FeatureModule {}
    const test = await startApp({ imports: [FeatureModule, AsynqModule.forRoot(options(queue))] });
    expect(await resultOf(test, 'greet', 'you')).toBe('hello you');
  });

  it('injects the client, the server and the mux', async () => {
    @Injectable()
    class Injected {
      constructor(
        readonly client: AsynqClient,
        readonly server: AsynqServer,
        readonly mux: TaskMux,
      ) {}
    }
    const { app } = await startApp({ imports: [AsynqModule.forRoot(options(aQueue()))], providers: [Injected] });
    const { client, server, mux } = app.get(Injected);
    expect(client).toBeInstanceOf(AsynqClient);
    expect(server).toBeInstanceOf(AsynqServer);
    expect(mux).toBeInstanceOf(TaskMux);
  });

  it('provides an instance only to modules that import it when isGlobal is false', async () => {
    @Injectable()
    class Outsider {
      constructor(readonly client: AsynqClient) {}
    }
    @Module({ providers: [Outsider] })
    class OutsideModule {}
    const imports = [AsynqModule.forRoot({ ...options(aQueue()), isGlobal: false }), OutsideModule];
    await expect(startApp({ imports })).rejects.toThrow(/Outsider/);
  });

  it('runs handlers that are registered on the mux by hand', async () => {
    @Injectable()
    class ByHand {
      constructor(mux: TaskMux) {
        mux.handle('by:hand', () => 'done');
      }
    }
    const test = await startApp({ imports: [AsynqModule.forRoot(options(aQueue()))], providers: [ByHand] });
    expect(await resultOf(test, 'by:hand')).toBe('done');
  });

  it('wraps handlers in the middleware of the module and of mux.use, the first outermost', async () => {
    const order: string[] = [];
    const layer = (name: string) => (next: (task: Task) => unknown) => (task: Task) => {
      order.push(name);
      return next(task);
    };
    @Injectable()
    class More {
      constructor(mux: TaskMux) {
        mux.use(layer('third'));
      }
      @TaskHandler('wrapped', { middleware: [layer('fourth'), layer('fifth')] })
      wrapped() {
        order.push('handler');
      }
    }
    const imports = [AsynqModule.forRoot(options(aQueue(), { middleware: [layer('first'), layer('second')] }))];
    await resultOf(await startApp({ imports, providers: [More] }), 'wrapped');
    expect(order).toEqual(['first', 'second', 'third', 'fourth', 'fifth', 'handler']);
  });
});

describe('AsynqModule.forRootAsync', () => {
  const settings = Symbol('settings');
  @Module({ providers: [{ provide: settings, useFactory: () => ({ redis: sharedRedisUrl() }) }], exports: [settings] })
  class SettingsModule {}

  it('takes options from a factory and what it injects', async () => {
    const queue = aQueue();
    const registered = AsynqModule.forRootAsync({
      imports: [SettingsModule],
      inject: [settings, { token: 'nothing', optional: true }],
      useFactory: async (given: { redis: string }, nothing: undefined): Promise<AsynqModuleOptions> => {
        expect(nothing).toBeUndefined();
        return { ...options(queue), redis: given.redis };
      },
    });
    expect(await resultOf(await startApp({ imports: [registered], providers: [Greeter] }), 'greet', 'you')).toBe(
      'hello you',
    );
  });

  it.each(['useClass', 'useExisting'] as const)('takes options from a class given with %s', async (how) => {
    const queue = aQueue();
    @Injectable()
    class AsynqSettings implements AsynqOptionsFactory {
      constructor(@Inject(settings) private readonly given: { redis: string }) {}
      createAsynqOptions(): AsynqModuleOptions {
        return { ...options(queue), redis: this.given.redis };
      }
    }
    @Module({ imports: [SettingsModule], providers: [AsynqSettings], exports: [AsynqSettings] })
    class AsynqSettingsModule {}
    const registered = AsynqModule.forRootAsync(
      how === 'useClass'
        ? { imports: [SettingsModule], useClass: AsynqSettings }
        : { imports: [AsynqSettingsModule], useExisting: AsynqSettings },
    );
    expect(await resultOf(await startApp({ imports: [registered], providers: [Greeter] }), 'greet', 'you')).toBe(
      'hello you',
    );
  });

  it('refuses two ways at once, and none at all', () => {
    expect(() => AsynqModule.forRootAsync({})).toThrow(
      'AsynqModule: forRootAsync must be given exactly one of useFactory, useClass and useExisting, got "none"',
    );
    expect(() => AsynqModule.forRootAsync({ useFactory: () => ({}), useExisting: 'x' })).toThrow(
      'got "useFactory, useExisting"',
    );
  });
});

describe('named instances', () => {
  @Injectable()
  class Both {
    constructor(
      readonly client: AsynqClient,
      @InjectClient('billing') readonly billing: AsynqClient,
      @InjectServer('billing') readonly billingServer: AsynqServer,
      @InjectMux('billing') readonly billingMux: TaskMux,
    ) {}

    @TaskHandler('work')
    work() {
      return 'default';
    }

    @TaskHandler('work', { instance: 'billing' })
    billed() {
      return 'billing';
    }
  }

  it('have their own clients, servers and handlers', async () => {
    const [plain, billed] = [aQueue(), aQueue('billing')];
    const test = await startApp({
      imports: [AsynqModule.forRoot(options(plain)), AsynqModule.forRoot({ ...options(billed), name: 'billing' })],
      providers: [Both],
    });
    const both = test.app.get(Both);
    expect(both.billing).not.toBe(both.client);
    expect(both.billingServer).not.toBe(test.server);
    expect(both.billingMux.patterns).toEqual([{ type: 'work', match: 'exact' }]);
    const completed = nextEvent(test, { event: 'completed', instance: 'billing' });
    expect((await both.billing.enqueue('work')).queue).toBe(billed);
    expect((await completed).task.queue).toBe(billed);
    expect(await resultOf(test, 'work')).toBe('default');
  });

  it('work without a default one, also with async options', async () => {
    const queue = aQueue();
    @Injectable()
    class Billing {
      constructor(@InjectClient('billing') readonly client: AsynqClient) {}
    }
    const registered = AsynqModule.forRootAsync({ name: 'billing', useFactory: () => options(queue) });
    const { app, client } = await startApp({ imports: [registered], providers: [Billing] });
    expect(client).toBeUndefined();
    expect((await app.get(Billing).client.enqueue('x')).queue).toBe(queue);
  });

  it.each([
    ['the default instance', () => [AsynqModule.forRoot(options(aQueue())), AsynqModule]],
    [
      'the instance "billing"',
      () => [
        AsynqModule.forRoot({ ...options(aQueue()), name: 'billing' }),
        AsynqModule.forRoot({ ...options(aQueue()), name: 'billing' }),
      ],
    ],
  ])('refuse to be registered twice: %s', async (who, imports) => {
    @Module({ imports: imports() })
    class AppModule {}
    await expect(startModule(AppModule)).rejects.toThrow(`AsynqModule: ${who} is registered twice`);
  });
});

it('a module may replace what every instance uses', async () => {
  const asked: unknown[] = [];
  const parts: EngineParts = {
    ...systemParts,
    openBroker: (redis, deps) => {
      asked.push(redis);
      return systemParts.openBroker(sharedRedisUrl(), deps);
    },
  };
  @Global()
  @Module({ providers: [{ provide: enginePartsToken, useValue: parts }], exports: [enginePartsToken] })
  class PartsModule {}
  const registered = AsynqModule.forRoot({ ...options(aQueue()), redis: 'redis://nowhere' });
  const test = await startApp({ imports: [registered, PartsModule], providers: [Greeter] });
  expect(await resultOf(test, 'greet', 'you')).toBe('hello you');
  expect(asked).toEqual(['redis://nowhere']);
});

it('log lines go to Nest, under the name of the instance', async () => {
  const imports = [
    AsynqModule.forRoot(options(aQueue())),
    AsynqModule.forRoot({ ...options(aQueue()), name: 'billing' }),
  ];
  const { log } = await startApp({ imports });
  expect(log.lines.filter(({ context }) => context.startsWith('Asynq'))).toEqual(
    ['Asynq', 'Asynq:billing'].map((context) => ({
      level: 'log',
      message: expect.stringContaining('no task handler was found, so the server does not start'),
      context,
    })),
  );
});
