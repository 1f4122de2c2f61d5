import { availableParallelism } from 'node:os';
import { AsynqServer } from '../../../lib/engine/server/asynq-server.js';
import { resolveServer, resolveServerOptions, type ServerOptions } from '../../../lib/engine/server/server-options.js';

describe('server options', () => {
  it('S-01, S-02, S-04 have defaults for everything that is omitted', () => {
    expect(resolveServer({}).options).toEqual({
      concurrency: availableParallelism(),
      queues: { default: 1 },
      strictPriority: false,
      taskCheckInterval: 1_000,
      retryDelay: 'default',
      isFailure: expect.any(Function),
      errorHandler: undefined,
      failureLogs: { first: 'warn', retry: 'warn', archived: 'error' },
      shutdownTimeout: 8_000,
      delayedTaskCheckInterval: 5_000,
      janitorInterval: 8_000,
      janitorBatchSize: 100,
      groupConcurrency: 3,
      groupGracePeriod: 60_000,
      groupMaxDelay: 0,
      groupMaxSize: 0,
      healthCheck: undefined,
      healthCheckInterval: 15_000,
      unknownTask: 'return',
      abortGrace: 5_000,
      stuckPolicy: 'keep',
      blockingConnections: 4,
      strictPayload: true,
      middleware: [],
      waitForRedis: false,
    });
    expect(resolveServer({}).options.isFailure(new Error('any'))).toBe(true);
  });

  it('convert durations to milliseconds', () => {
    const options = {
      concurrency: 3,
      queues: { a: 2, __proto__x: 1 },
      shutdownTimeout: '1m30s',
      abortGrace: 0,
    } as const;
    expect(resolveServer(options).options).toMatchObject({
      concurrency: 3,
      queues: { a: 2, __proto__x: 1 },
      shutdownTimeout: 90_000,
      abortGrace: 0,
    });
  });

  it.each<[string, unknown, string]>([
    ['S-01 concurrency 0', { concurrency: 0 }, 'AsynqServer: concurrency must be a positive integer, got 0'],
    ['concurrency of NaN', { concurrency: NaN }, 'AsynqServer: concurrency must be a positive integer'],
    ['no queue at all', { queues: {} }, 'AsynqServer: queues must be an object with at least one queue, got {}'],
    ['S-03 a weight of -1', { queues: { critical: -1 } }, 'AsynqServer: queues.critical must be a positive integer'],
    ['a weight of 1.5', { queues: { low: 1.5 } }, 'AsynqServer: queues.low must be a positive integer'],
    ['S-03 a blank queue', { queues: { ' ': 1 } }, 'AsynqServer: queues: the name of a queue must be text that is not'],
    ['a name that scatters keys', { queues: { '}x': 1 } }, 'a queue name that does not begin with }'],
    ['S-04 an interval of 0', { taskCheckInterval: 0 }, 'AsynqServer: taskCheckInterval must be a duration'],
    ['a negative interval', { janitorInterval: '-1s' }, 'AsynqServer: janitorInterval must be a duration'],
    ['a negative timeout', { shutdownTimeout: -1 }, 'AsynqServer: shutdownTimeout must be a duration'],
    ['text that is no duration', { abortGrace: 'soon' }, 'AsynqServer: abortGrace must be a duration'],
    [
      'an unknown word',
      { unknownTask: 'drop' },
      "AsynqServer: unknownTask must be one of 'return', 'fail', got \"drop\"",
    ],
    ['a policy that is none', { stuckPolicy: 'kill' }, "AsynqServer: stuckPolicy must be one of 'keep', 'release'"],
    ['a callback that is none', { retryDelay: 5 }, 'AsynqServer: retryDelay must be a function, got 5'],
    ['middleware that is no list', { middleware: () => {} }, 'AsynqServer: middleware must be a list of functions'],
    ['middleware that is none', { middleware: [1] }, 'AsynqServer: middleware[0] must be a function, got 1'],
    ['a flag that is none', { strictPriority: 'yes' }, 'AsynqServer: strictPriority must be true or false, got "yes"'],
    ['a batch of 0', { janitorBatchSize: 0 }, 'AsynqServer: janitorBatchSize must be a positive integer'],
    ['a strictPayload in words', { strictPayload: 'no' }, 'AsynqServer: strictPayload must be true or false'],
    ['too many connections', { blockingConnections: 65 }, 'AsynqServer: blockingConnections must be an integer from 0'],
    ['a typing error', { shutdownTimout: 1 }, 'shutdownTimout is not an option; did you mean shutdownTimeout?'],
    [
      'S-07 an option of Asynq that does not exist here',
      { logLevel: 'debug' },
      'AsynqServer: logLevel is not an option',
    ],
  ])('refuse %s', (_, options, message) => {
    expect(() => new AsynqServer(options as ServerOptions)).toThrow(message);
  });

  it('name the full path of an option', () => {
    expect(() => resolveServerOptions({ queues: { a: 0 } }, 'AsynqModule: server')).toThrow(
      'AsynqModule: server.queues.a must be',
    );
  });
});
