import { AsynqModule, type AsynqModuleOptions, InvalidOptionError } from '../../lib/index.js';
import { resolveServer } from '../../lib/engine/server/server-options.js';
import { jsonCodec } from '../../lib/model/task/payload.codec.js';
import { noOptions } from '../../lib/model/task/task-options.js';
import { resolveModuleOptions } from '../../lib/nest/asynq-module-options.js';
import { cleanUp, startApp } from './support.js';

afterEach(cleanUp);

describe('module options', () => {
  it.each([
    [
      { server: { queues: { critical: -1 } } },
      'AsynqModule: server.queues.critical must be a positive integer, got -1',
    ],
    [
      { server: { shutdownTimout: '1s' } },
      'AsynqModule: server.shutdownTimout is not an option; did you mean shutdownTimeout?',
    ],
    [{ sever: false }, 'AsynqModule: sever is not an option; did you mean server?'],
    [{ client: { enqueueTimeout: '5 parsecs' } }, 'AsynqModule: client.enqueueTimeout must be a duration'],
    [{ client: { redis: 'redis://x' } }, 'AsynqModule: client.redis is not an option'],
    [{ role: 'boss' }, `AsynqModule: role must be one of 'producer', 'worker', 'scheduler', 'all', got "boss"`],
    [{ codec: { encode: 1 } }, 'AsynqModule: codec.encode must be a function, got 1'],
    [
      { globalEnhancers: 'guards' },
      'AsynqModule: globalEnhancers must be true, false or a list of kinds, got "guards"',
    ],
    [{ globalEnhancers: ['guard'] }, "AsynqModule: globalEnhancers[0] must be one of 'guards', 'interceptors',"],
    [{ middleware: ['log'] }, 'AsynqModule: middleware[0] must be a function, got "log"'],
    [{ middleware: 'log' }, 'AsynqModule: middleware must be a list of functions, got "log"'],
    [{ waitForRedis: 'yes' }, 'AsynqModule: waitForRedis must be true or false, got "yes"'],
    [{ connectTimeout: 0 }, 'AsynqModule: connectTimeout must be a duration'],
    [{ logger: {} }, 'AsynqModule: logger.debug must be a function, got undefined'],
    [{ redis: 'ftp://x' }, 'AsynqModule: redis'],
    [{ redis: null }, 'AsynqModule: redis must be a URL, ioredis options'],
    [{ server: null }, 'AsynqModule: server must be an object, got null'],
    [{ scheduler: { timeZone: 'Hanoi' } }, 'AsynqModule: scheduler.timeZone must be an IANA time zone'],
    [{ scheduler: { redis: 'redis://x' } }, 'AsynqModule: scheduler.redis is not an option'],
    [{ scheduler: { disabled: 'backup' } }, 'AsynqModule: scheduler.disabled must be a list of ids of @Cron schedules'],
    [{ scheduler: true }, 'AsynqModule: scheduler must be an object, got true'],
  ])('fail the start when wrong: %j', async (given, message) => {
    const boot = startApp({ imports: [AsynqModule.forRoot(given as AsynqModuleOptions)] });
    await expect(boot).rejects.toThrow(InvalidOptionError);
    await expect(boot).rejects.toThrow(message);
  });

  it('are checked when they come from a factory, too', async () => {
    const registered = AsynqModule.forRootAsync({ useFactory: () => ({ server: { concurrency: 0 } }) });
    await expect(startApp({ imports: [registered] })).rejects.toThrow(
      'AsynqModule: server.concurrency must be a positive integer, got 0',
    );
  });

  it.each([
    [undefined, 'AsynqModule: options must be an object, got undefined'],
    [{ name: 'billing' }, 'AsynqModule: name must be given to forRootAsync itself, got "billing"'],
    [{ isGlobal: false }, 'AsynqModule: isGlobal must be given to forRootAsync itself, got false'],
  ])('fail the start when a factory returns %j', async (given, message) => {
    const registered = AsynqModule.forRootAsync({ useFactory: () => given as AsynqModuleOptions });
    await expect(startApp({ imports: [registered] })).rejects.toThrow(message);
  });

  it.each([
    [{ name: ' ' }, 'AsynqModule: name must be text that is not blank'],
    [{ isGlobal: 'yes' }, 'AsynqModule: isGlobal must be true or false, got "yes"'],
    [null, 'AsynqModule: options must be an object, got null'],
  ])('are refused at once when they determine how the module is wired: %j', (given, message) => {
    expect(() => AsynqModule.forRoot(given as AsynqModuleOptions)).toThrow(message);
  });

  it('have defaults', () => {
    expect(resolveModuleOptions({}, {})).toEqual({
      redis: 'redis://localhost:6379',
      isRedisUndefined: false,
      limits: { connectTimeout: 10_000, commandTimeout: 5_000, blockingConnections: 4 },
      server: { ...resolveServer({}).options, isFailure: expect.any(Function) as unknown },
      hasServer: true,
      client: { enqueueTimeout: 10_000, strictPayload: true, unservedQueueWarning: 30_000, defaults: noOptions },
      middleware: [],
      codec: jsonCodec,
      globalEnhancers: new Set(['pipes']),
      role: 'all',
      scheduler: {
        settings: expect.objectContaining({ timeZone: 'UTC', defaults: noOptions }) as unknown,
        disabled: [],
      },
      hasScheduler: true,
      waitForRedis: false,
      logger: undefined,
    });
  });

  it.each([
    [{}, { ASYNQ_REDIS_URL: 'redis://a', REDIS_URL: 'redis://b' }, 'redis://a'],
    [{}, { ASYNQ_REDIS_URL: '', REDIS_URL: 'redis://b' }, 'redis://b'],
    [{ redis: 'redis://c' }, { ASYNQ_REDIS_URL: 'redis://a' }, 'redis://c'],
  ])('take Redis from %j, then from %j', (given, env, redis) => {
    expect(resolveModuleOptions(given, env).redis).toBe(redis);
  });

  it('take the role from ASYNQ_ROLE unless the code says one', () => {
    const env = { ASYNQ_ROLE: 'producer' };
    expect(resolveModuleOptions({}, env).role).toBe('producer');
    expect(resolveModuleOptions({ role: 'worker' }, env).role).toBe('worker');
    expect(() => resolveModuleOptions({}, { ASYNQ_ROLE: 'boss' })).toThrow(
      `AsynqModule: ASYNQ_ROLE must be one of 'producer', 'worker', 'scheduler', 'all', got "boss"`,
    );
  });
});
