import type { Case, CaseScale } from '../case.js';
import { measureProcess } from './throughput.js';

/** Large payloads, enqueued and read by a handler. */
export function payloadCases(scale: CaseScale): readonly Case[] {
  return [10_000, 100_000].flatMap((bytes) => [enqueue(bytes, scale), process(bytes, scale)]);
}

function tasksOf(bytes: number, { quick }: CaseScale): number {
  return Math.ceil(200_000_000 / bytes / (quick ? 10 : 1));
}

function enqueue(bytes: number, scale: CaseScale): Case {
  return {
    label: { case: 'payload', bytes, callers: 50 },
    metrics: [{ unit: 'tasks/s', better: 'more' }],
    subjects: ['nestjs-asynq', 'bullmq', 'asynq-go'],
    measure: async ({ ask }) => ({
      figures: await ask({ kind: 'enqueue', callers: 50, bytes, tasks: tasksOf(bytes, scale) }),
    }),
    targets: [{ subject: 'nestjs-asynq', against: 'bullmq', wanted: 1.4 }],
  };
}

function process(bytes: number, scale: CaseScale): Case {
  const tasks = tasksOf(bytes, scale);
  return {
    label: { case: 'payload', bytes, concurrency: 100 },
    metrics: [{ unit: 'tasks/s', better: 'more' }],
    subjects: ['nestjs-asynq', 'bullmq'],
    measure: (measuring) =>
      measureProcess(measuring, { kind: 'process', concurrency: 100, bytes, reads: true, tasks, warmUp: tasks / 5 }),
    targets: [{ subject: 'nestjs-asynq', against: 'bullmq', wanted: 1.4 }],
  };
}
