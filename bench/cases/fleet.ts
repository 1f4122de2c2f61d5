import { setTimeout as sleep } from 'node:timers/promises';
import type { Case, CaseLabel, CaseScale, Measuring } from '../case.js';

interface FleetSize {
  readonly processes: number;
  readonly concurrency: number;
  readonly handlerMs: number;
  readonly tasks: number;
}

/** Many worker processes that share one queue. */
export function fleetCases({ quick }: CaseScale): readonly Case[] {
  const some = quick ? 20_000 : 200_000;
  const one = { processes: 1, concurrency: 100, handlerMs: 0, tasks: some };
  const slow = { processes: 10, concurrency: 20, handlerMs: 5, tasks: quick ? 20_000 : 200_000 };
  return [
    fleet(one),
    { ...fleet({ ...one, processes: 10 }), targets: [{ subject: 'engine', against: labelOf(one), wanted: 0.9 }] },
    { ...fleet(slow), targets: [{ subject: 'engine', metric: 'CPU', wanted: 30 }] },
  ];
}

function labelOf({ processes, concurrency, handlerMs }: FleetSize): CaseLabel {
  return { case: 'fleet', processes, concurrency, handlerMs };
}

function fleet(size: FleetSize): Case {
  return {
    label: labelOf(size),
    metrics: [
      { unit: 'tasks/s', better: 'more' },
      { name: 'CPU', unit: 'µs/task', better: 'less' },
    ],
    subjects: ['engine', 'bullmq'],
    measure: async (measuring) => ({
      figures: await measureFleet(
        measuring,
        measuring.subject === 'engine' ? size : { ...size, tasks: size.tasks / 5 },
      ),
    }),
  };
}

/**
 * Tasks a second of all workers together, and their processor time for a task; over the second half of the tasks, since
 * each of many processes has compiled its code only after thousands of them.
 */
async function measureFleet(measuring: Measuring, size: FleetSize): Promise<readonly [number, number]> {
  const { ask, askAll } = measuring;
  const { processes, concurrency, handlerMs, tasks } = size;
  await ask({ kind: 'fill', tasks });
  await askAll({ kind: 'start', workers: 1, concurrency, handlerMs }, processes);
  const begun = await progressAt(measuring, processes, tasks / 2);
  const ended = await progressAt(measuring, processes, tasks);
  await askAll({ kind: 'stop' }, processes);
  const handled = ended.handled - begun.handled;
  return [(handled / (ended.at - begun.at)) * 1_000, (ended.micros - begun.micros) / handled];
}

/** Waits until all workers together have handled so many tasks. */
async function progressAt(
  { askAll }: Measuring,
  processes: number,
  tasks: number,
): Promise<{ readonly at: number; readonly handled: number; readonly micros: number }> {
  for (;;) {
    const all = await askAll({ kind: 'progress' }, processes);
    const at = performance.now();
    const handled = all.reduce((sum, [count = 0]) => sum + count, 0);
    const micros = all.reduce((sum, [, spent = 0]) => sum + spent, 0);
    if (handled >= tasks) return { at, handled, micros };
    await sleep(20);
  }
}
