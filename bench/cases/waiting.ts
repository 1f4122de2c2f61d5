import type { Case, CaseScale } from '../case.js';
import { measureProcess, sized } from './throughput.js';

/** Handlers that wait for something else, as most do. */
export function waitingCases(scale: CaseScale): readonly Case[] {
  return [
    waiting({ handlerMs: 1, concurrency: 1_000 }, scale),
    waiting({ handlerMs: 5, concurrency: 100 }, scale),
    waiting({ handlerMs: 20, concurrency: 100 }, scale),
  ];
}

function waiting(label: { readonly handlerMs: number; readonly concurrency: number }, scale: CaseScale): Case {
  const { handlerMs, concurrency } = label;
  const ideal = (concurrency / handlerMs) * 1_000;
  const tasks = sized(scale, Math.min(200_000, ideal * 5), Math.min(40_000, ideal * 5));
  return {
    label: { case: 'waiting', ...label },
    metrics: [
      { unit: 'tasks/s', better: 'more' },
      { name: 'of ideal', unit: '% of ideal', better: 'more' },
    ],
    subjects: ['engine', 'bullmq'],
    measure: async (measuring) => {
      const count = tasks(measuring.subject);
      const measured = await measureProcess(measuring, {
        kind: 'process',
        concurrency,
        handlerMs,
        tasks: count,
        warmUp: count / 5,
      });
      const [rate = 0] = measured.figures;
      // No worker can be faster than its handlers, nor than Redis.
      const limit = Math.min(ideal, measured.others?.ceiling[0] ?? ideal);
      return { figures: [rate, (rate / limit) * 100] };
    },
    targets: [{ subject: 'engine', metric: 'of ideal', wanted: 80 }],
  };
}
