import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { Global, Injectable, Module, type OnApplicationBootstrap, type OnModuleInit } from '@nestjs/common';
import {
  AsynqClient,
  AsynqModule,
  BrokerUnavailableError,
  HandlerConflictError,
  TaskHandler,
} from '../../lib/index.js';
import { rawClient, sharedRedisUrl, startRedis } from '../support/redis-server.js';
import { until } from '../support/until.js';
import { eventLoopTurns } from '../support/virtual-clock.js';
import { aQueue, cleanUp, options, resultOf, startApp } from './support.js';

afterEach(cleanUp);

@Injectable()
class Worker {
  @TaskHandler('work')
  work() {
    return 'worked';
  }
}

const started = 'Server started: ';

describe('the start of an application', () => {
  it('runs no handler before every provider of every module has bootstrapped', async () => {
    const order: string[] = [];
    class Slow implements OnApplicationBootstrap {
      constructor(
        private readonly name: string,
        private readonly asynq: AsynqClient,
      ) {}
      async onApplicationBootstrap() {
        // Long enough for a server that runs already to fetch and run the task many times over.
        for (let ping = 0; ping < 20; ping++) {
          await this.asynq.ping();
          await eventLoopTurns(5);
        }
        order.push(this.name);
      }
    }
    const slow = (name: string) => ({
      provide: `slow ${name}`,
      inject: [AsynqClient],
      useFactory: (asynq: AsynqClient) => new Slow(name, asynq),
    });
    @Module({ providers: [slow('deep')] })
    class DeepModule {}
    @Module({ imports: [DeepModule], providers: [slow('feature')] })
    class FeatureModule {}
    @Global()
    @Module({ providers: [slow('global before')] })
    class GlobalBefore {}
    @Global()
    @Module({ providers: [slow('global after')] })
    class GlobalAfter {}
    @Injectable()
    class Early {
      @TaskHandler('early')
      early() {
        order.push('handler');
      }
    }
    const queue = aQueue();
    const before = new AsynqClient({ redis: sharedRedisUrl() });
    await before.enqueue('early', undefined, { queue });
    await before.close();
    const imports = [GlobalBefore, FeatureModule, AsynqModule.forRoot(options(queue)), GlobalAfter];
    await startApp({ imports, providers: [slow('root'), Early] });
    await until('the handler ran', () => order.includes('handler'));
    expect(order.toSorted()).toEqual(['deep', 'feature', 'global after', 'global before', 'handler', 'root']);
    expect(order.at(-1)).toBe('handler');
  });

  it('lets providers enqueue from their first hook onwards', async () => {
    const queue = aQueue();
    @Injectable()
    class Eager implements OnModuleInit {
      id = '';
      constructor(private readonly asynq: AsynqClient) {}
      async onModuleInit() {
        this.id = (await this.asynq.enqueue('work')).id;
      }
    }
    const { app } = await startApp({ imports: [AsynqModule.forRoot(options(queue))], providers: [Eager] });
    expect(app.get(Eager).id).not.toBe('');
  });

  it('fails when Redis cannot be reached in time', async () => {
    const nowhere = AsynqModule.forRoot({ redis: 'redis://127.0.0.1:1', connectTimeout: '100ms' });
    const boot = startApp({ imports: [nowhere], providers: [Worker] });
    await expect(boot).rejects.toThrow(BrokerUnavailableError);
    await expect(boot).rejects.toThrow(/127\.0\.0\.1:1/);
  });

  it('waits for Redis when it is told to', async () => {
    const first = await startRedis();
    await first.stop();
    const lines: string[] = [];
    const keep = (message: string): void => void lines.push(message);
    const logger = { debug: keep, info: keep, warn: keep, error: keep };
    const queue = aQueue();
    const registered = AsynqModule.forRoot({
      ...options(queue),
      redis: first.url,
      connectTimeout: '50ms',
      waitForRedis: true,
      logger,
    });
    const boot = startApp({ imports: [registered], providers: [Worker] });
    await until('it says that it waits', () => lines.length > 0);
    expect(lines[0]).toMatch(/^Redis at .* cannot be reached: .*; still trying$/);
    const second = await startRedis({ port: first.port });
    const { app } = await boot;
    expect(lines.filter((line) => line.includes('still trying'))).toHaveLength(1);
    expect(lines.some((line) => line.startsWith(started))).toBe(true);
    await app.close();
    await second.stop();
  });

  it.each([
    ['waits', 'hooks'],
    ['fails', 'no hooks'],
  ])('ends without an error when the process is terminated in the meantime (%s, %s)', async (...how) => {
    const loader = join(__dirname, '../interop/support/run-typescript.cjs');
    const child = spawn(process.execPath, [loader, join(__dirname, 'start-until-signal.ts'), ...how]);
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text: Buffer) => (output += text.toString()));
    await until('it says that it waits', () => output.includes('ECONNREFUSED'), { within: '30s' });
    child.kill('SIGTERM');
    const [code] = (await once(child, 'close')) as [number];
    expect(code).toBe(143);
    expect(output).toMatch(/Redis at 127\.0\.0\.1:1 cannot be reached: .*ECONNREFUSED.*; still trying/);
    expect(output).toContain('SIGTERM while the start waits for Redis: the process ends');
    expect(output).not.toMatch(/ERROR|^ {4}at |bootstrapped/m);
  });

  it('leaves no connection open when it fails', async () => {
    const server = await startRedis();
    const redis = rawClient(server.url);
    @Injectable()
    class Second {
      @TaskHandler('work')
      again() {}
    }
    const imports = [AsynqModule.forRoot({ redis: server.url })];
    await expect(startApp({ imports, providers: [Worker, Second] })).rejects.toThrow(HandlerConflictError);
    await until('only this test is connected', async () => (await connections(redis)) === 1);
    redis.disconnect();
    await server.stop();
  });
});

describe('the role of a process', () => {
  it('starts no server without a handler, and says so in one line', async () => {
    const { server, log } = await startApp({ imports: [AsynqModule.forRoot(options(aQueue()))] });
    expect(server.status).toBe('new');
    expect(log.ofAsynq()).toEqual([
      expect.stringMatching(/^Using redis:\/\/[^@]+: no task handler was found, so the server does not start$/),
    ]);
  });

  it('starts no server when server is false, and says where tasks are enqueued', async () => {
    const imports = [AsynqModule.forRoot(options(aQueue(), { server: false }))];
    const { server, log } = await startApp({ imports, providers: [Worker] });
    expect(server.status).toBe('new');
    expect(log.ofAsynq()).toEqual([expect.stringMatching(/^Using redis:\/\/[^@]+$/)]);
  });

  it.each(['producer', 'scheduler'] as const)('handles nothing in the role of a %s', async (role) => {
    const imports = [AsynqModule.forRoot(options(aQueue(), { role }))];
    const { server, log } = await startApp({ imports, providers: [Worker] });
    expect(server.status).toBe('new');
    expect(log.ofAsynq()).toContainEqual(
      expect.stringContaining(`: the role is "${role}", so this process handles no tasks`),
    );
  });

  it('warns about a worker without a handler', async () => {
    const imports = [AsynqModule.forRoot(options(aQueue(), { role: 'worker' }))];
    const { server, log } = await startApp({ imports });
    expect(server.status).toBe('new');
    expect(log.lines.filter(({ level }) => level === 'warn')).toMatchObject([
      { message: expect.stringContaining('the role is "worker" but no task handler was found') },
    ]);
  });

  it('takes the role of the process from ASYNQ_ROLE', async () => {
    const { ASYNQ_ROLE: before } = process.env;
    process.env['ASYNQ_ROLE'] = 'producer';
    try {
      const { server } = await startApp({ imports: [AsynqModule.forRoot(options(aQueue()))], providers: [Worker] });
      expect(server.status).toBe('new');
    } finally {
      if (before === undefined) delete process.env['ASYNQ_ROLE'];
      else process.env['ASYNQ_ROLE'] = before;
    }
  });

  it.each(['worker', 'all'] as const)('handles tasks in the role "%s"', async (role) => {
    const imports = [AsynqModule.forRoot(options(aQueue(), { role }))];
    const test = await startApp({ imports, providers: [Worker] });
    expect(test.log.ofAsynq()).toEqual(['Found Worker (1 handler)', expect.stringMatching(started)]);
    expect(await resultOf(test, 'work')).toBe('worked');
  });

  it('warns once of redis: undefined and names what is used instead', async () => {
    const { ASYNQ_REDIS_URL: before } = process.env;
    process.env['ASYNQ_REDIS_URL'] = sharedRedisUrl();
    try {
      const { log } = await startApp({
        imports: [AsynqModule.forRoot({ ...options(aQueue()), redis: undefined as never })],
      });
      expect(log.lines.filter(({ level }) => level === 'warn').map(({ message }) => message)).toEqual([
        `AsynqModule: redis is undefined, so redis://${new URL(sharedRedisUrl()).host}/0 is used; leave the option out if that is intended`,
      ]);
    } finally {
      if (before === undefined) delete process.env['ASYNQ_REDIS_URL'];
      else process.env['ASYNQ_REDIS_URL'] = before;
    }
  });

  it('opens one connection as a producer', async () => {
    const server = await startRedis();
    const redis = rawClient(server.url);
    const imports = [AsynqModule.forRoot({ redis: server.url, role: 'producer' })];
    const { app, client } = await startApp({ imports, providers: [Worker] });
    await client.enqueue('work');
    expect(await connections(redis)).toBe(2);
    await app.close();
    await until('only this test is connected', async () => (await connections(redis)) === 1);
    redis.disconnect();
    await server.stop();
  });
});

async function connections(redis: ReturnType<typeof rawClient>): Promise<number> {
  return String(await redis.client('LIST'))
    .trim()
    .split('\n').length;
}
