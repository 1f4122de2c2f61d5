import type { Case, CaseLabel, CaseScale } from '../case.js';
import { measureProcess, sized } from './throughput.js';

const concurrency = 100;
const rate = [{ unit: 'tasks/s', better: 'more' }] as const;

/** Many busy queues on one worker, and many tasks that are due at once. */
export function queueCases(scale: CaseScale): readonly Case[] {
  return [
    busyQueues(1, scale),
    { ...busyQueues(200, scale), targets: [{ subject: 'engine', against: labelOf(1), wanted: 0.6 }] },
    due(scale),
  ];
}

function labelOf(queues: number): CaseLabel {
  return { case: 'many-queues', concurrency, queues };
}

function busyQueues(queues: number, scale: CaseScale): Case {
  const tasks = sized(scale, 200_000, 20_000);
  return {
    label: labelOf(queues),
    metrics: rate,
    subjects: ['engine', 'asynq-go'],
    measure: (measuring) => {
      const count = tasks(measuring.subject);
      const warmUp = measuring.subject === 'asynq-go' ? 0 : count / 5;
      return measureProcess(measuring, { kind: 'process', concurrency, queues, tasks: count, warmUp });
    },
  };
}

function due({ quick }: CaseScale): Case {
  const tasks = quick ? 50_000 : 1_000_000;
  return {
    label: { case: 'due', concurrency },
    metrics: rate,
    subjects: ['engine', 'bullmq'],
    once: true,
    measure: async ({ subject, ask }) => {
      const count = subject === 'engine' ? tasks : tasks / 20;
      // All are due when the worker starts: what is measured is how fast they get to it.
      const dueAt = Date.now() + (quick ? 3_000 : 30_000);
      await ask({ kind: 'fill', tasks: count, dueAt });
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, dueAt - Date.now())));
      return { figures: await ask({ kind: 'process', concurrency: 500, tasks: count, warmUp: 0 }) };
    },
    targets: [{ subject: 'engine', wanted: 150_000 }],
  };
}
