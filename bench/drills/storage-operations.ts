import type { Redis } from 'ioredis';
import { type AsynqClient, SkipRetryError, type Task, TaskMux } from 'nestjs-asynq/core';

/** The keys of a queue that an operation may need, as they are called behind the queue's prefix. */
export const keyNames = [
  'pending',
  'active',
  'lease',
  'scheduled',
  'retry',
  'archived',
  'completed',
  'groups',
  'aggregation_sets',
  'x:due',
  'processed',
  'failed',
  'g:g',
  't:by-id',
] as const;
export type KeyName = (typeof keyNames)[number];

export const keyOf = (queue: string, name: string): string => `asynq:{${queue}}:${name}`;

/** Where and with what operations are done. */
export interface Workplace {
  readonly client: AsynqClient;
  readonly redis: Redis;
  readonly runs: OperationRuns;
}

/** Something that a queue must be able to do, on tasks of its own. */
export interface Operation {
  /** What it cannot do without; every other key must not matter to it. */
  readonly needs: readonly KeyName[];
  readonly start: (workplace: Workplace, queue: string) => Promise<unknown>;
  readonly isDone: (workplace: Workplace, queue: string) => boolean | Promise<boolean>;
}

/** What handlers were called for. */
export class OperationRuns {
  readonly mux = new TaskMux().handle('drill', (task) => this.#run(task));
  readonly #times = new Map<string, number>();

  times(queue: string, id: string): number {
    return this.#times.get(`${queue} ${id}`) ?? 0;
  }

  #run({ queue, id }: Task): void {
    this.#times.set(`${queue} ${id}`, this.times(queue, id) + 1);
    if (id === 'retry' && this.times(queue, id) === 1) throw new Error('The drill wants this run to fail');
    if (id === 'archive') throw new SkipRetryError('The drill wants this run to fail for good');
  }
}

const needsToRun: readonly KeyName[] = ['pending', 'active', 'lease'];
const enqueue =
  (id: string, options: object = {}) =>
  async ({ client }: Workplace, queue: string): Promise<unknown> =>
    await client.enqueue('drill', {}, { queue, taskId: id, ...options });
const ran =
  (id: string, times = 1) =>
  ({ runs }: Workplace, queue: string): boolean =>
    runs.times(queue, id) >= times;
const isIn =
  (id: string, name: KeyName) =>
  async ({ redis }: Workplace, queue: string): Promise<boolean> => {
    const key = keyOf(queue, name);
    return (await redis.type(key)) === 'zset' && (await redis.zscore(key, id)) !== null;
  };

export const operations: Readonly<Record<string, Operation>> = {
  run: { needs: needsToRun, start: enqueue('run'), isDone: ran('run') },
  'run under an id': { needs: [...needsToRun, 't:by-id'], start: enqueue('by-id'), isDone: ran('by-id') },
  'run later': {
    needs: [...needsToRun, 'scheduled'],
    start: enqueue('later', { processIn: '1500ms' }),
    isDone: ran('later'),
  },
  complete: {
    needs: [...needsToRun, 'completed'],
    start: enqueue('complete', { retention: '1h' }),
    isDone: isIn('complete', 'completed'),
  },
  retry: { needs: [...needsToRun, 'retry'], start: enqueue('retry'), isDone: ran('retry', 2) },
  archive: {
    needs: [...needsToRun, 'archived'],
    start: enqueue('archive'),
    isDone: isIn('archive', 'archived'),
  },
  aggregate: {
    needs: [...needsToRun, 'groups', 'g:g', 'aggregation_sets'],
    start: enqueue('member', { group: 'g' }),
    isDone: ran('combined'),
  },
  cancel: {
    needs: ['scheduled', 'archived'],
    start: async (workplace, queue) => {
      await enqueue('canceled', { processIn: '1h' })(workplace, queue);
      const result = await workplace.client.cancel('canceled', { queue, outcome: 'archive' });
      if (result !== 'archived') throw new Error(`The task was not canceled: ${result}`);
    },
    isDone: isIn('canceled', 'archived'),
  },
};
