import { setTimeout as sleep } from 'node:timers/promises';
import type { Case, CaseScale, Measuring } from '../case.js';

const metrics = [
  { unit: 'commands/s', better: 'less' },
  { name: 'Redis', unit: '% CPU', better: 'less' },
] as const;

/** What workers cost Redis while nothing is to be done. */
export function idleCases({ quick }: CaseScale): readonly Case[] {
  const scheduled = quick ? 20_000 : 1_000_000;
  return [
    idleWorkers(1, { scheduled, quick }),
    idleWorkers(10, { scheduled, quick }),
    idleWorkers(100, { scheduled, quick }),
    idleQueues(1, { quick }),
    idleQueues(200, { quick }),
    idleQueues(1_000, { quick }),
  ];
}

/** Workers beside many tasks that wait for tomorrow; ten share a process. */
function idleWorkers(workers: number, { scheduled, quick }: { scheduled: number; quick: boolean }): Case {
  const processes = Math.ceil(workers / 10);
  return {
    label: { case: 'idle', workers },
    metrics,
    subjects: ['engine', 'asynq-go'],
    once: true,
    measure: async (measuring) => {
      const { ask, askAll, subject } = measuring;
      await ask({ kind: 'fill', tasks: scheduled, dueAt: Date.now() + 86_400_000 }, 'engine');
      const order = { kind: 'start', workers: Math.min(workers, 10), concurrency: 10 } as const;
      // All servers of Go are in one process; Redis does not see the difference.
      if (subject === 'asynq-go') await ask({ ...order, workers });
      else await askAll(order, processes);
      const figures = await measureIdle(measuring, quick);
      if (subject === 'asynq-go') await ask({ kind: 'stop' });
      else await askAll({ kind: 'stop' }, processes);
      return { figures };
    },
    targets: [{ subject: 'engine', against: 'asynq-go', wanted: 1, metric: 'Redis' }],
  };
}

/** One worker with many empty queues. */
function idleQueues(queues: number, { quick }: { quick: boolean }): Case {
  return {
    label: { case: 'idle', queues },
    metrics,
    subjects: ['engine', 'asynq-go'],
    once: true,
    measure: async (measuring) => {
      const { ask } = measuring;
      // A queue that nobody has ever enqueued to is not looked at by everyone.
      await ask({ kind: 'fill', tasks: queues, queues, dueAt: Date.now() + 86_400_000 }, 'engine');
      await ask({ kind: 'start', workers: 1, concurrency: 10, queues });
      const figures = await measureIdle(measuring, quick);
      await ask({ kind: 'stop' });
      return { figures };
    },
    targets:
      queues === 1
        ? [{ subject: 'engine', wanted: 2 }]
        : [
            { subject: 'engine', against: 'asynq-go', wanted: 1 },
            { subject: 'engine', against: 'asynq-go', wanted: 1, metric: 'Redis' },
          ],
  };
}

/**
 * Commands a second and processor time of Redis, once the workers have settled. Commands are what Redis counts for either
 * subject: a script is one, and so is each command inside of it.
 */
async function measureIdle({ redis }: Measuring, quick: boolean): Promise<readonly [number, number]> {
  await sleep(quick ? 1_000 : 15_000);
  await redis.resetStatistics();
  const spent = await redis.processorSeconds();
  const start = performance.now();
  await sleep(quick ? 3_000 : 30_000);
  const seconds = (performance.now() - start) / 1_000;
  // The two questions of this measurement are not counted.
  const commands = (await redis.commandsProcessed()) - 2;
  return [commands / seconds, (((await redis.processorSeconds()) - spent) / seconds) * 100];
}
