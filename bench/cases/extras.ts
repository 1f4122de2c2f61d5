import type { Case, CaseLabel, CaseScale, Target } from '../case.js';
import type { Extras } from '../subjects/orders.js';
import { measureProcess, sized } from './throughput.js';

const concurrency = 100;

/** What Nest's guards, interceptors, filters, pipes and request scope cost a task. */
export function extrasCases(scale: CaseScale): readonly Case[] {
  return [
    extras('nothing', scale),
    extras('guard, interceptor, filter', scale, 0.5),
    extras('payload', scale, 0.6),
    extras('request scope', scale, 0.5),
    extras('all', scale),
  ];
}

function labelOf(kind: Extras): CaseLabel {
  return { case: 'extras', concurrency, with: kind };
}

function extras(kind: Extras, scale: CaseScale, ofBare?: number): Case {
  const tasks = sized(scale, kind === 'nothing' ? 200_000 : 50_000, 40_000);
  const targets: readonly Target[] =
    ofBare === undefined ? [] : [{ subject: 'nestjs-asynq', against: labelOf('nothing'), wanted: ofBare }];
  return {
    label: labelOf(kind),
    metrics: [{ unit: 'tasks/s', better: 'more' }],
    subjects: kind === 'nothing' ? ['nestjs-asynq', 'bullmq'] : ['nestjs-asynq'],
    measure: (measuring) => {
      const count = tasks(measuring.subject);
      return measureProcess(measuring, {
        kind: 'process',
        concurrency,
        tasks: count,
        warmUp: count / 5,
        extras: kind,
      });
    },
    targets,
  };
}
