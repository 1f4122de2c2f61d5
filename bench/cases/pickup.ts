import type { Case, CaseScale, SubjectName } from '../case.js';

const metrics = [
  { unit: 'ms', better: 'less' },
  { name: 'p99', unit: 'ms', better: 'less' },
] as const;

/** How soon an idle worker begins a task. */
export function pickupCases({ quick, goProgram }: CaseScale): readonly Case[] {
  const tasks = quick ? 30 : 200;
  const own: Case = {
    label: { case: 'pickup' },
    metrics,
    subjects: ['nestjs-asynq', 'engine', 'bullmq'],
    measure: async ({ ask }) => ({ figures: await ask({ kind: 'pickup', tasks, gapMs: 10, goProgram: undefined }) }),
    targets: [
      { subject: 'nestjs-asynq', wanted: 0.3 },
      { subject: 'nestjs-asynq', metric: 'p99', wanted: 2 },
    ],
  };
  if (goProgram === undefined) return [own];
  // Go's worker polls about once a second: shorter gaps would measure its busy state.
  const orderOf = (subject: SubjectName) =>
    subject === 'asynq-go'
      ? { tasks: quick ? 3 : 12, gapMs: quick ? 300 : 1_100, goProgram }
      : { tasks, gapMs: 10, goProgram };
  const fromGo: Case = {
    label: { case: 'pickup', producer: 'go' },
    metrics,
    subjects: ['nestjs-asynq', 'engine', 'asynq-go'],
    measure: async ({ subject, ask }) => ({ figures: await ask({ kind: 'pickup', ...orderOf(subject) }) }),
  };
  return [own, fromGo];
}
