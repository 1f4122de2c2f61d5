import { once } from 'node:events';
import type { Handler } from '../../../lib/engine/middleware.js';
import { AsynqServer } from '../../../lib/engine/server/asynq-server.js';
import type { Task } from '../../../lib/engine/server/handler-task.js';
import type { ServerOptions } from '../../../lib/engine/server/server-options.js';
import { TaskMux } from '../../../lib/engine/server/task-mux.js';
import { RevokeTaskError, SkipRetryError } from '../../../lib/model/errors/control-errors.js';
import { sharedRedisUrl } from '../../support/redis-server.js';
import { until } from '../../support/until.js';
import { found } from './found.js';

/** One run of a task in a worker of ours. */
export interface NodeRun {
  readonly id: string;
  readonly type: string;
  readonly queue: string;
  readonly payload: Buffer;
  readonly headers: Readonly<Record<string, string>>;
  readonly retried: number;
  readonly maxRetry: number;
  readonly deadline: number;
  readonly startedAt: number;
}

/** Options that can be told to another process; `retryDelay` in milliseconds. */
export interface NodeWorkerOptions extends Omit<ServerOptions, 'retryDelay'> {
  readonly retryDelay?: number;
}

export interface NodeWorkerSetting {
  readonly url?: string;
  /** The one pattern it has a handler for; without it, it takes every task. */
  readonly knows?: string;
}

/** A worker of ours that behaves as the Go worker of test/interop/go/serve.go: the type says what a task does. */
export class NodeWorker {
  readonly started: NodeRun[] = [];
  readonly ended: NodeRun[] = [];
  readonly server: AsynqServer;

  private constructor({ retryDelay = 600_000, ...options }: NodeWorkerOptions, url: string) {
    this.server = new AsynqServer({ concurrency: 10, ...options, retryDelay: () => retryDelay, redis: url });
  }

  static async start(options: NodeWorkerOptions, { url, knows }: NodeWorkerSetting = {}): Promise<NodeWorker> {
    const worker = new NodeWorker(options, url ?? sharedRedisUrl());
    if (knows === undefined) await worker.server.start(worker.#run);
    else await worker.server.start(new TaskMux().handle(knows, worker.#run));
    return worker;
  }

  /** Waits until a run of this task has begun. */
  async hasStarted(id: string): Promise<NodeRun> {
    return await found(`we have started ${id}`, () => this.started.find((run) => run.id === id));
  }

  /** Waits until a run of this task has ended. */
  async hasEnded(id: string): Promise<NodeRun> {
    return await found(`we have ended ${id}`, () => this.ended.find((run) => run.id === id));
  }

  async hasEndedTimes(count: number): Promise<void> {
    await until(`we have ended ${count} runs`, () => this.ended.length >= count, { within: '20s' });
  }

  async shutdown(): Promise<void> {
    await this.server.shutdown();
  }

  readonly #run: Handler = async (task) => {
    const run: NodeRun = {
      id: task.id,
      type: task.type,
      queue: task.queue,
      payload: Buffer.from(task.rawPayload),
      headers: { ...task.headers },
      retried: task.retried,
      maxRetry: task.maxRetry,
      deadline: task.deadline.getTime(),
      startedAt: Date.now(),
    };
    this.started.push(run);
    try {
      return await behave(task);
    } finally {
      this.ended.push(run);
    }
  };
}

async function behave(task: Task): Promise<unknown> {
  const [what = '', argument] = task.type.split(':', 2);
  switch (what) {
    case 'result':
      await task.writeResult(task.rawPayload);
      return undefined;
    case 'return':
      return task.rawPayload;
    case 'fail':
      throw new Error(task.rawPayload.toString());
    case 'fail-first':
      if (task.retried < Number(argument)) throw new Error(`failure ${task.retried + 1}`);
      return undefined;
    case 'skip':
      throw new SkipRetryError('not again');
    case 'revoke':
      throw new RevokeTaskError();
    case 'until-canceled':
    case 'stuck-once':
      if (what === 'stuck-once' && task.retried > 0) return undefined;
      if (!task.signal.aborted) await once(task.signal, 'abort');
      throw task.signal.reason;
    case 'sleep':
      await new Promise((resolve) => setTimeout(resolve, Number(argument)));
      return undefined;
    default:
      return undefined;
  }
}
