import { AsynqClient } from '../../lib/engine/client/asynq-client.js';
import type { ClientOptions } from '../../lib/engine/client/client-options.js';
import { AsynqScheduler } from '../../lib/engine/scheduler/asynq-scheduler.js';
import { PeriodicTasks } from '../../lib/engine/scheduler/periodic-tasks.js';
import type { SchedulerOptions } from '../../lib/engine/scheduler/scheduler-options.js';
import { AsynqServer } from '../../lib/engine/server/asynq-server.js';
import type { AsynqServerOptions } from '../../lib/engine/server/server-options.js';
import { TaskMux } from '../../lib/engine/server/task-mux.js';
import { MemoryBroker } from '../../lib/memory/memory-broker.js';
import { MemoryStore } from '../../lib/memory/memory-state.js';
import { defineTask } from '../../lib/model/task/task-definition.js';
import { RecordingLogger } from '../support/recording-logger.js';
import { seededRandom } from '../support/seeded-random.js';
import { VirtualClock } from '../support/virtual-clock.js';

/** How a callback misbehaves. */
const faults = {
  throws: () => {
    throw new Error('callback fault');
  },
  rejects: async () => await Promise.reject(new Error('callback fault')),
  'answers nonsense': () => ({ nonsense: true }),
  'never settles': async () => await new Promise(() => {}),
} as const satisfies Record<string, () => unknown>;

type Fault = keyof typeof faults;

/** An application whose callbacks are set by the test: a client, a server and a scheduler on one store. */
class App {
  readonly clock = new VirtualClock();
  readonly log = new RecordingLogger();
  readonly store = new MemoryStore();
  readonly completed: string[] = [];
  readonly mux = new TaskMux();
  server!: AsynqServer;
  client!: AsynqClient;
  scheduler!: AsynqScheduler;
  periodicTasks: PeriodicTasks | undefined;

  async start(given: {
    readonly server?: AsynqServerOptions;
    readonly client?: ClientOptions;
    readonly scheduler?: SchedulerOptions;
    readonly prepare?: (app: App) => void;
  }): Promise<void> {
    const { clock, log: logger } = this;
    const shared = { broker: new MemoryBroker({ store: this.store, clock }), clock, random: seededRandom(), logger };
    this.client = new AsynqClient({ ...shared, ...given.client });
    this.server = new AsynqServer({ ...shared, healthCheckInterval: '1s', groupGracePeriod: '1s', ...given.server });
    this.scheduler = new AsynqScheduler({ ...shared, ...given.scheduler });
    this.mux
      .handle('ok', () => {})
      .handle('fails', () => {
        throw new Error('as told');
      });
    this.server.events.on('completed', ({ task }) => void this.completed.push(task.type));
    given.prepare?.(this);
    this.scheduler.register('@every 1s', 'ok');
    await this.server.start(this.mux);
    await this.scheduler.start();
  }

  async stop(): Promise<void> {
    await this.periodicTasks?.stop();
    const stopping = Promise.all([this.scheduler.shutdown(), this.server.shutdown()]);
    await this.clock.advance('60s');
    await stopping;
    await this.client.close();
  }
}

/** A callback of the public API: how it is set, what makes it be called, and how its faults are named in the log. */
interface Callback {
  readonly name: string;
  readonly start: (app: App, fault: () => never) => Promise<void>;
  /** Makes the engine call it. Default: a task that fails. */
  readonly provoke?: (app: App) => Promise<unknown>;
  /** What the log says, by fault; `undefined` where that is not a fault. */
  readonly says: Readonly<Record<Fault, RegExp | undefined>>;
}

const nothing = { 'answers nonsense': undefined, 'never settles': undefined };
const told = (says: RegExp): Callback['says'] => ({ throws: says, rejects: says, ...nothing });
const always = (says: RegExp): Callback['says'] => ({
  throws: says,
  rejects: says,
  'answers nonsense': says,
  'never settles': says,
});

const callbacks: readonly Callback[] = [
  {
    name: 'a listener of events',
    start: async (app, fault) => await app.start({ prepare: ({ server }) => server.events.on('completed', fault) }),
    provoke: async ({ client }) => await client.enqueue('ok'),
    says: told(/^A listener of "completed" failed: callback fault/),
  },
  {
    name: 'healthCheck',
    start: async (app, fault) => await app.start({ server: { healthCheck: fault } }),
    says: told(/^healthCheck failed: callback fault/),
  },
  {
    name: 'retryDelay',
    start: async (app, fault) => await app.start({ server: { retryDelay: fault } }),
    says: always(/^retryDelay failed: /),
  },
  {
    name: 'isFailure',
    start: async (app, fault) => await app.start({ server: { isFailure: fault } }),
    says: always(/^isFailure failed: /),
  },
  {
    name: 'errorHandler',
    start: async (app, fault) => await app.start({ server: { errorHandler: fault } }),
    says: {
      ...told(/^errorHandler failed: callback fault/),
      'never settles': /^errorHandler takes longer than 5000 ms/,
    },
  },
  {
    name: 'middleware',
    start: async (app, fault) =>
      await app.start({ prepare: ({ mux }) => mux.handle('odd', new TaskMux().handle('odd', () => {}).use(fault)) }),
    provoke: async ({ client }) => await client.enqueue('odd', undefined, { maxRetry: 0 }),
    says: { ...always(/middleware: what it returned must be a function/), throws: /callback fault/ },
  },
  {
    name: 'what middleware returns',
    start: async (app, fault) =>
      await app.start({
        prepare: ({ mux }) =>
          mux.handle(
            'odd',
            new TaskMux().handle('odd', () => {}).use(() => fault),
          ),
      }),
    provoke: async ({ client }) => await client.enqueue('odd', undefined, { maxRetry: 0 }),
    says: { throws: /callback fault/, rejects: /callback fault/, ...nothing },
  },
  {
    name: 'decode of a codec',
    start: async (app, fault) =>
      await app.start({
        server: { codec: { encode: () => Buffer.from('x'), decode: fault } },
        prepare: ({ mux }) => mux.handle('reads', (task) => void task.payload),
      }),
    provoke: async ({ client }) => await client.enqueue('reads', 1),
    says: {
      ...always(/the payload does not decode: the codec returned a promise/),
      throws: /callback fault/,
      'answers nonsense': undefined,
    },
  },
  {
    name: 'encode of a codec, for a result',
    start: async (app, fault) =>
      await app.start({
        server: { codec: { encode: fault, decode: () => 1 } },
        prepare: ({ mux }) => mux.handle('returns', () => 5),
      }),
    provoke: async ({ client }) => await client.enqueue('returns', undefined, { retention: '1h' }),
    says: always(/^The result of task ".+" of type "returns" is not stored: the result cannot be encoded: /),
  },
  {
    name: 'aggregator',
    start: async (app, fault) => await app.start({ server: { aggregator: fault } }),
    provoke: async ({ client }) => await client.enqueue('ok', 1, { group: 'g' }),
    says: always(/^The tasks of group "g" of queue "default" were not aggregated: /),
  },
  {
    name: 'schema of a definition',
    start: async (app, fault) => {
      const schema = { '~standard': { version: 1 as const, vendor: 'test', validate: fault } };
      await app.start({ prepare: ({ mux }) => mux.handle(defineTask('checked', { schema }), () => {}) });
    },
    provoke: async ({ client }) => await client.enqueue('checked', 1, { maxRetry: 0, timeout: '3s' }),
    says: {
      throws: /callback fault/,
      rejects: /callback fault/,
      'answers nonsense': undefined,
      'never settles': /of type "checked" .*(stuck|exceeded|archived)/,
    },
  },
  {
    name: 'preEnqueue',
    start: async (app, fault) => await app.start({ scheduler: { preEnqueue: fault } }),
    says: told(/^preEnqueue failed: callback fault/),
  },
  {
    name: 'postEnqueue',
    start: async (app, fault) => await app.start({ scheduler: { postEnqueue: fault } }),
    says: told(/^postEnqueue failed: callback fault/),
  },
  {
    name: 'getTasks',
    start: async (app, fault) => {
      let calls = 0;
      const provider = { getTasks: () => ((calls += 1) === 1 ? [] : fault()) };
      await app.start({});
      app.periodicTasks = new PeriodicTasks({ provider, scheduler: app.scheduler, syncInterval: '1s' });
      await app.periodicTasks.start();
    },
    says: {
      ...always(/^The periodic tasks are unchanged: /),
      'never settles': /^getTasks\(\) has not returned for 1 s/,
    },
  },
  {
    name: 'logger',
    start: async (app, fault) => {
      const logger = { debug: fault, info: fault, warn: fault, error: fault };
      await app.start({ server: { logger }, client: { logger }, scheduler: { logger } });
    },
    says: { throws: undefined, rejects: undefined, ...nothing },
  },
];

// Jest fails a test whose promises reject with nobody to hear it.
describe('user callbacks', () => {
  const cases = callbacks.flatMap((callback) =>
    (Object.keys(faults) as Fault[]).map((fault) => ({ callback, fault, name: callback.name })),
  );

  it.each(cases)('$name that $fault: is named in the log, and the work goes on', async ({ callback, fault }) => {
    const warnings = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    const app = new App();
    await callback.start(app, faults[fault] as () => never);
    await (callback.provoke?.(app) ?? app.client.enqueue('fails'));
    await app.clock.advance('10s');
    const before = app.completed.length;
    await app.client.enqueue('ok');
    await app.clock.advance('130s');
    const lines = app.log.messages();
    const goesOn = app.completed.length - before;
    await app.stop();
    warnings.mockRestore();
    expect(goesOn).toBeGreaterThan(100);
    const says = callback.says[fault];
    if (says !== undefined) expect(lines).toContainEqual(expect.stringMatching(says));
  });
});
