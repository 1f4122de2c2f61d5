import type { Redis } from 'ioredis';
import {
  type AsynqClient,
  type AsynqServer,
  type EnqueueItem,
  type EnqueueOptions,
  SkipRetryError,
  SnoozeError,
  TaskMux,
} from 'nestjs-asynq/core';

const queue = 'default';
const keyOf = (name: string): string => `asynq:{${queue}}:${name}`;

interface Outcome {
  readonly options: EnqueueOptions;
  readonly event: 'completed' | 'retry' | 'archived' | 'snoozed';
  /** Where the task is then. */
  readonly state: 'gone' | 'completed' | 'retry' | 'archived' | 'scheduled';
}

const outcomes = {
  done: { options: {}, event: 'completed', state: 'gone' },
  complete: { options: { retention: '1h' }, event: 'completed', state: 'completed' },
  retry: { options: { maxRetry: 3 }, event: 'retry', state: 'retry' },
  archive: { options: { maxRetry: 3 }, event: 'archived', state: 'archived' },
  snooze: { options: {}, event: 'snoozed', state: 'scheduled' },
} as const satisfies Record<string, Outcome>;

type Ending = keyof typeof outcomes;
const endings = Object.keys(outcomes) as readonly Ending[];

/** The ending of a task of {@link enqueueHeld}. */
function endingOf(id: string): Ending {
  return id.split('-', 1)[0] as Ending;
}

/** Stores tasks for {@link HeldRuns}, so many for each ending; resolves with their ids, which begin with the ending. */
export async function enqueueHeld(client: AsynqClient, name: string, perEnding: number): Promise<readonly string[]> {
  const items = endings.flatMap((ending) =>
    Array.from({ length: perEnding }, (_, n): EnqueueItem => {
      return ['drill', {}, { ...outcomes[ending].options, taskId: `${ending}-${name}-${n}` }];
    }),
  );
  return (await client.enqueueMany(items)).map((result) => {
    if (result.status === 'rejected') throw result.error;
    return result.info.id;
  });
}

/** Runs that go on until they are told to end, and then end as their tasks' ids say. */
export class HeldRuns {
  /** How often each task was handed to its handler. */
  readonly begun = new Map<string, number>();
  /** Outcomes that were announced, in order. */
  readonly announced: { readonly id: string; readonly event: Outcome['event'] }[] = [];
  readonly mux = new TaskMux().handle('drill', async ({ id }) => await this.#run(id));
  readonly #held = new Map<string, () => void>();
  readonly #told = new Set<string>();

  /** Hears what a server announces. `onAnnounced` is called at once with the task's id. */
  listen(server: AsynqServer, onAnnounced: (id: string) => void = () => {}): void {
    for (const event of new Set(endings.map((ending) => outcomes[ending].event))) {
      server.events.on(event, ({ task }) => {
        this.announced.push({ id: task.id, event });
        onAnnounced(task.id);
      });
    }
  }

  /** Lets a run end; one that comes later ends at once. */
  end(id: string): void {
    this.#told.add(id);
    this.#held.get(id)?.();
  }

  async #run(id: string): Promise<void> {
    this.begun.set(id, (this.begun.get(id) ?? 0) + 1);
    if (!this.#told.has(id)) await new Promise<void>((resolve) => this.#held.set(id, resolve));
    switch (endingOf(id)) {
      case 'done':
      case 'complete':
        return;
      case 'retry':
        throw new Error('The drill wants this run to fail');
      case 'archive':
        throw new SkipRetryError('The drill wants this run to fail for good');
      case 'snooze':
        throw new SnoozeError('1h');
    }
  }
}

/** Whether Redis has the outcome of a task: it is where its ending puts it, and nowhere else. */
export async function isStored(redis: Redis, id: string): Promise<boolean> {
  const { state } = outcomes[endingOf(id)];
  const task = await redis.hget(keyOf(`t:${id}`), 'state');
  const lease = await redis.zscore(keyOf('lease'), id);
  const active = await redis.lpos(keyOf('active'), id);
  if (task !== (state === 'gone' ? null : state) || lease !== null || active !== null) return false;
  return state === 'gone' || (await redis.zscore(keyOf(state), id)) !== null;
}

/** Those of some tasks whose outcome Redis has. */
export async function storedOf(redis: Redis, ids: readonly string[]): Promise<readonly string[]> {
  const stored = await Promise.all(ids.map((id) => isStored(redis, id)));
  return ids.filter((_, index) => stored[index]);
}

/** Whether a server announced for a task what its ending is, and that once. */
export function isAnnouncedOnce(runs: HeldRuns, id: string): boolean {
  const events = runs.announced.filter((one) => one.id === id).map(({ event }) => event);
  return events.length === 1 && events[0] === outcomes[endingOf(id)].event;
}

/** Ids that are running according to Redis. */
export async function runningOf(redis: Redis): Promise<readonly string[]> {
  return await redis.lrange(keyOf('active'), 0, -1);
}
