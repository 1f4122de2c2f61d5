import type { Duration } from '../../../lib/model/time/duration.js';
import { until } from '../../support/until.js';
import type { Across } from './across.js';

/** The states in which a task rests. */
export const waitingStates = ['pending', 'scheduled', 'retry', 'archived', 'completed', 'aggregating'] as const;

export type WaitingState = (typeof waitingStates)[number];

export interface StateRequest {
  readonly queue: string;
  readonly state: WaitingState;
  readonly group: string;
  readonly unique?: Duration;
}

/** Brings a task of ours into a state, by our client and worker alone; gives its id. */
export async function aTaskInState(across: Across, { queue, state, group, unique }: StateRequest): Promise<string> {
  const type = { retry: 'fail', archived: 'skip', completed: 'return' }[state as string] ?? 'ok';
  const { id } = await across.client.enqueue(type, Buffer.from('payload'), {
    queue,
    headers: { 'nest-origin': 'test' },
    ...(unique === undefined ? {} : { unique }),
    ...(state === 'scheduled' ? { processIn: '1h' } : {}),
    ...(state === 'aggregating' ? { group } : {}),
    ...(state === 'completed' ? { retention: '1h' } : {}),
  });
  if (type !== 'ok') {
    const worker = await across.aNodeWorker({ queues: { [queue]: 1 } });
    await until(`the task is ${state}`, async () => (await across.redis.zcard(`asynq:{${queue}}:${state}`)) === 1);
    await worker.shutdown();
  }
  return id;
}
