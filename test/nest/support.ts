import type { INestApplication, INestApplicationContext, LoggerService, ModuleMetadata } from '@nestjs/common';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  AsynqClient,
  type AsynqModuleOptions,
  AsynqServer,
  type EnqueueOptions,
  type TaskDefinition,
  type TaskEventName,
  type TaskEvents,
} from '../../lib/index.js';
import { getServerToken } from '../../lib/nest/asynq.tokens.js';
import { deleteQueues, rawClient, sharedRedisUrl } from '../support/redis-server.js';
import { uniqueQueue } from '../support/unique-queue.js';

/** What an application logged, by level. */
export class NestLines implements LoggerService {
  readonly lines: { readonly level: string; readonly message: string; readonly context: string }[] = [];

  log = (message: unknown, context?: unknown): void => this.#keep('log', message, context);
  warn = (message: unknown, context?: unknown): void => this.#keep('warn', message, context);
  debug = (message: unknown, context?: unknown): void => this.#keep('debug', message, context);
  error = (message: unknown, ...rest: unknown[]): void => this.#keep('error', message, rest.at(-1));

  /** Messages of the module's own lines. */
  ofAsynq(): readonly string[] {
    return this.lines.filter(({ context }) => context.startsWith('Asynq')).map(({ message }) => message);
  }

  #keep(level: string, message: unknown, context: unknown): void {
    this.lines.push({ level, message: String(message), context: String(context) });
  }
}

/** One application under test; everything it opened and wrote is gone after the test. */
export interface TestApp {
  readonly app: INestApplicationContext;
  readonly client: AsynqClient;
  readonly server: AsynqServer;
  readonly log: NestLines;
}

const opened = new Set<INestApplicationContext>();
const queues = new Set<string>();

/** A queue for one test, removed after it. */
export function aQueue(label = 'nest'): string {
  const queue = uniqueQueue(label);
  queues.add(queue);
  return queue;
}

/** Options of an instance that serves one queue of the shared server. */
export function options(queue: string, more: AsynqModuleOptions = {}): AsynqModuleOptions {
  const server = more.server === false ? false : { concurrency: 5, ...more.server, queues: { [queue]: 1 } };
  return { redis: sharedRedisUrl(), ...more, server, client: { defaults: { queue, maxRetry: 0, retention: '1m' } } };
}

/** Builds and starts an application, as `NestFactory` does it for users. */
export async function startApp(metadata: ModuleMetadata): Promise<TestApp> {
  @Module(metadata)
  class AppModule {}
  return await startModule(AppModule);
}

/** The same for a root module of the test's own; `prepare` is called before the start, as a `main.ts` would. */
export async function startModule(
  root: new (...args: never[]) => unknown,
  prepare: (app: INestApplication) => void = () => {},
): Promise<TestApp> {
  const log = new NestLines();
  const app = await NestFactory.create(root, { logger: log, abortOnError: false });
  opened.add(app);
  prepare(app);
  await app.init();
  return { app, client: getOrNothing(app, AsynqClient), server: getOrNothing(app, AsynqServer), log };
}

/** Resolves with the next event of that name about a task of that type. */
export function nextEvent<N extends TaskEventName>(
  { app }: Pick<TestApp, 'app'>,
  wanted: { readonly event: N; readonly type?: string; readonly instance?: string },
): Promise<TaskEvents[N]> {
  const server = app.get<AsynqServer>(getServerToken(wanted.instance));
  return new Promise((resolve) => {
    const stop = server.events.on(wanted.event, (event) => {
      if (wanted.type !== undefined && 'type' in event.task && event.task.type !== wanted.type) return;
      stop();
      resolve(event);
    });
  });
}

/** Enqueues a task and resolves with its result once it has completed. */
export async function resultOf(
  test: TestApp,
  ...task: readonly [task: string | TaskDefinition, payload?: unknown, options?: EnqueueOptions]
): Promise<unknown> {
  const [named] = task;
  const type = typeof named === 'string' ? named : named.type;
  const completed = nextEvent(test, { event: 'completed', type });
  const { id, queue } = await test.client.enqueue(...task);
  await completed;
  const redis = rawClient();
  const result = await redis.hget(`asynq:{${queue}}:t:${id}`, 'result');
  redis.disconnect();
  return result === null || result === '' ? undefined : JSON.parse(result);
}

/** Enqueues a task and resolves with the error under which it was archived or retried. */
export async function failureOf(
  test: TestApp,
  task: { readonly type: string; readonly payload?: unknown; readonly event?: 'archived' | 'retry' },
): Promise<Error> {
  const { type, payload, event = 'archived' } = task;
  const failed = nextEvent(test, { event, type });
  await test.client.enqueue(type, payload, event === 'retry' ? { maxRetry: 5 } : { maxRetry: 0 });
  return (await failed).error as Error;
}

/** Closes what a test left open; `afterEach` of every file here. */
export async function cleanUp(): Promise<void> {
  for (const app of opened) await app.close();
  opened.clear();
  const redis = rawClient();
  await deleteQueues(redis, [...queues]);
  redis.disconnect();
  queues.clear();
}

function getOrNothing<T>(app: INestApplicationContext, token: new (...args: never[]) => T): T {
  try {
    return app.get(token as never);
  } catch {
    return undefined as T;
  }
}
