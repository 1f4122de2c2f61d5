import type { Redis } from 'ioredis';
import { AsynqClient } from '../../../lib/engine/client/asynq-client.js';
import { deleteQueues, rawClient, sharedRedisUrl } from '../../support/redis-server.js';
import { uniqueQueue } from '../../support/unique-queue.js';
import { GoClient, GoInspector } from './go-client.js';
import { goBuildLimit } from './go-program.js';
import { GoWorker, type GoWorkerOptions } from './go-worker.js';
import { NodeWorker, type NodeWorkerOptions, type NodeWorkerSetting } from './node-worker.js';

/** Both sides of one Redis, for one spec file. */
export interface Across {
  readonly redis: Redis;
  readonly client: AsynqClient;
  readonly go: GoClient;
  readonly inspector: GoInspector;
  /** A queue of the test's own, removed at the end. */
  aQueue(label: string): string;
  /** A worker of ours; shut down after the test if the test has not. */
  aNodeWorker(options: NodeWorkerOptions, setting?: NodeWorkerSetting): Promise<NodeWorker>;
  /** A Go worker; killed after the test if the test has not ended it. */
  aGoWorker(options: GoWorkerOptions): Promise<GoWorker>;
}

/** Opens both sides before the tests of a file and closes everything after them. */
export function acrossLanguages(): Across {
  const queues: string[] = [];
  const workers: (() => Promise<void>)[] = [];
  const parts: { -readonly [K in 'redis' | 'client' | 'go' | 'inspector']?: Across[K] } = {};
  const part = <K extends keyof typeof parts>(name: K): Across[K] => {
    const value = parts[name];
    if (value === undefined) throw new Error(`${name} is there in tests only`);
    return value;
  };

  beforeAll(async () => {
    parts.redis = rawClient();
    parts.client = new AsynqClient({ redis: sharedRedisUrl() });
    parts.go = await GoClient.start();
    parts.inspector = await GoInspector.start();
  }, goBuildLimit);

  afterEach(async () => {
    await Promise.all(workers.splice(0).map(async (end) => await end()));
  });

  afterAll(async () => {
    await part('go').close();
    await part('inspector').close();
    await part('client').close();
    await deleteQueues(part('redis'), queues);
    part('redis').disconnect();
  });

  return {
    get redis() {
      return part('redis');
    },
    get client() {
      return part('client');
    },
    get go() {
      return part('go');
    },
    get inspector() {
      return part('inspector');
    },
    aQueue(label) {
      const queue = uniqueQueue(label);
      queues.push(queue);
      return queue;
    },
    async aNodeWorker(options, setting) {
      const worker = await NodeWorker.start(options, setting);
      workers.push(async () => await worker.shutdown());
      return worker;
    },
    async aGoWorker(options) {
      const worker = await GoWorker.start(options);
      workers.push(async () => await worker.kill());
      return worker;
    },
  };
}
