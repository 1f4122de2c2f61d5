import { Injectable } from '@nestjs/common';
import {
  AsynqClient,
  AsynqModule,
  AsynqScheduler,
  AsynqServer,
  Cron,
  defineTask,
  openBroker,
  silentLogger,
  systemClock,
  PeriodicTasks,
  TaskHandler,
} from '../../lib/index.js';
import { aQueue, cleanUp, options, startApp } from './support.js';

afterEach(cleanUp);

const broker = openBroker('memory:', { clock: systemClock, logger: silentLogger });

/** The places at which options are given, each with a function that gives some. */
const doors = {
  enqueue: async (given: object) => await new AsynqClient({ broker }).enqueue('x', {}, given),
  defineTask: async (given: object) => defineTask('x', given),
  AsynqClient: async (given: object) => new AsynqClient({ broker, ...given }),
  AsynqServer: async (given: object) => new AsynqServer({ broker, ...given }),
  AsynqScheduler: async (given: object) => new AsynqScheduler({ broker, ...given }),
  register: async (given: object) => new AsynqScheduler({ broker }).register('@daily', 'x', {}, given),
  PeriodicTasks: async (given: object) => new PeriodicTasks(given as never),
  AsynqModule: (given: object) => startApp({ imports: [AsynqModule.forRoot(given)] }),
  'AsynqModule.server': (given: object) => startApp({ imports: [AsynqModule.forRoot({ server: given })] }),
  'AsynqModule.client': (given: object) => startApp({ imports: [AsynqModule.forRoot({ client: given })] }),
  'AsynqModule.scheduler': (given: object) => startApp({ imports: [AsynqModule.forRoot({ scheduler: given })] }),
  Cron: (given: object) => {
    @Injectable()
    class Jobs {
      @Cron('@daily', given)
      run(): void {}
    }
    return startApp({ imports: [AsynqModule.forRoot(options(aQueue()))], providers: [Jobs] });
  },
  TaskHandler: (given: object) => {
    @Injectable()
    class Jobs {
      @TaskHandler('x', given)
      run(): void {}
    }
    return startApp({ imports: [AsynqModule.forRoot(options(aQueue()))], providers: [Jobs] });
  },
} as const satisfies Record<string, (given: object) => Promise<unknown>>;

type Row = readonly [door: keyof typeof doors, option: string, hint: string];

describe('an option of another library is refused with its name here', () => {
  it.each<Row>([
    [
      'enqueue',
      'attempts',
      'enqueue: options.attempts is not an option; did you mean maxRetry? It counts the runs after the first: one less than attempts.',
    ],
    ['enqueue', 'delay', 'did you mean processIn?'],
    ['enqueue', 'jobId', 'did you mean taskId?'],
    ['enqueue', 'deduplication', 'did you mean unique? It is the time'],
    ['enqueue', 'backoff', 'enqueue: options.backoff is not an option; use retryDelay, an option of the server.'],
    ['enqueue', 'removeOnComplete', 'did you mean retention? It says how long'],
    ['enqueue', 'removeOnFail', 'there is no equivalent: failed tasks are archived'],
    ['enqueue', 'priority', 'did you mean queue? Queues have weights'],
    ['enqueue', 'lifo', 'there is no equivalent: the task that waits longest is taken first'],
    ['enqueue', 'repeat', 'there is no equivalent: schedule the task with @Cron'],
    ['defineTask', 'attempts', 'defineTask: options.attempts is not an option; did you mean maxRetry?'],
    ['register', 'attempts', 'register: options.attempts is not an option; did you mean maxRetry?'],
    ['register', 'tz', 'did you mean timeZone?'],
    ['AsynqClient', 'connection', 'AsynqClient: connection is not an option; did you mean redis?'],
    ['AsynqClient', 'defaultJobOptions', 'did you mean defaults?'],
    ['AsynqServer', 'limiter', 'AsynqServer: limiter is not an option; there is no equivalent: throw a SnoozeError'],
    ['AsynqServer', 'lockDuration', 'there is no equivalent: the lease of a task is extended'],
    ['AsynqServer', 'stalledInterval', 'there is no equivalent: tasks of dead workers'],
    ['AsynqModule', 'connection', 'AsynqModule: connection is not an option; did you mean redis?'],
    ['AsynqModule', 'prefix', "there is no equivalent: Asynq's protocol fixes the key names"],
    ['AsynqModule.server', 'limiter', 'AsynqModule: server.limiter is not an option; there is no equivalent'],
    ['AsynqModule.client', 'defaultJobOptions', 'AsynqModule: client.defaultJobOptions is not an option; did you mean'],
    ['Cron', 'attempts', '@Cron on Jobs.run in AppModule: attempts is not an option; did you mean maxRetry?'],
    ['Cron', 'jobId', 'did you mean id?'],
    ['Cron', 'name', 'did you mean id?'],
    ['Cron', 'disabled', 'did you mean enabled? It has the opposite meaning.'],
    ['Cron', 'waitForCompletion', 'did you mean overlap?'],
    ['Cron', 'utcOffset', 'did you mean timeZone?'],
  ])('BullMQ and @nestjs/schedule, at %s: %s', async (door, option, hint) => {
    await expect(doors[door]({ [option]: 1 })).rejects.toThrow(hint);
  });

  it.each<Row>([
    ['enqueue', 'Queue', 'enqueue: options.Queue is not an option; did you mean queue?'],
    ['enqueue', 'MaxRetry', 'did you mean maxRetry?'],
    ['enqueue', 'ProcessIn', 'did you mean processIn?'],
    ['enqueue', 'ProcessAt', 'did you mean processAt?'],
    ['enqueue', 'Timeout', 'did you mean timeout?'],
    ['enqueue', 'Deadline', 'did you mean deadline?'],
    ['enqueue', 'Unique', 'did you mean unique?'],
    ['enqueue', 'Retention', 'did you mean retention?'],
    ['enqueue', 'Group', 'did you mean group?'],
    ['enqueue', 'TaskID', 'did you mean taskId?'],
    ['enqueue', 'Header', 'did you mean headers?'],
    ['AsynqServer', 'Concurrency', 'AsynqServer: Concurrency is not an option; did you mean concurrency?'],
    ['AsynqServer', 'StrictPriority', 'did you mean strictPriority?'],
    ['AsynqServer', 'Queues', 'did you mean queues?'],
    ['AsynqServer', 'RetryDelayFunc', 'did you mean retryDelay?'],
    ['AsynqServer', 'IsFailure', 'did you mean isFailure?'],
    ['AsynqServer', 'ShutdownTimeout', 'did you mean shutdownTimeout?'],
    ['AsynqServer', 'HealthCheckFunc', 'did you mean healthCheck?'],
    ['AsynqServer', 'GroupAggregator', 'did you mean aggregator?'],
    ['AsynqServer', 'LogLevel', 'did you mean logger? The logger sets the levels.'],
    ['AsynqServer', 'BaseContext', 'there is no equivalent: request-scoped providers'],
    ['AsynqModule.server', 'RetryDelayFunc', 'AsynqModule: server.RetryDelayFunc is not an option; did you mean'],
    ['AsynqScheduler', 'Location', 'AsynqScheduler: Location is not an option; did you mean timeZone?'],
    ['AsynqScheduler', 'EnqueueErrorHandler', 'did you mean postEnqueue? It receives errors as well.'],
    ['AsynqModule.scheduler', 'PreEnqueueFunc', 'AsynqModule: scheduler.PreEnqueueFunc is not an option; did you mean'],
    ['PeriodicTasks', 'PeriodicTaskConfigProvider', 'did you mean provider?'],
  ])('Asynq for Go, at %s: %s', async (door, option, hint) => {
    await expect(doors[door]({ [option]: 1 })).rejects.toThrow(hint);
  });

  it.each<Row>([
    [
      'TaskHandler',
      'concurrency',
      '@TaskHandler on Jobs.run in AppModule: concurrency is not an option; it is an option of the server',
    ],
    ['TaskHandler', 'maxRetry', 'it is an option of enqueue and defineTask'],
    ['AsynqModule', 'concurrency', 'AsynqModule: concurrency is not an option; it is an option of the server'],
    ['AsynqModule', 'defaults', 'it is an option of the client'],
    ['AsynqServer', 'maxRetry', 'it is an option of enqueue and defineTask'],
    ['AsynqServer', 'queue', 'did you mean queues?'],
    ['AsynqModule.client', 'retryDelay', 'it is an option of the server'],
  ])('or with its place, when it is one of ours, at %s: %s', async (door, option, hint) => {
    await expect(doors[door]({ [option]: 1 })).rejects.toThrow(hint);
  });
});
