import type { Order } from './subjects/orders.js';

/**
 * Who is measured. `ceiling` is no program: it is what Redis itself needs for the same work. `embedded` is the full Nest
 * path on the broker in memory.
 */
export type SubjectName = 'nestjs-asynq' | 'engine' | 'bullmq' | 'asynq-go' | 'ceiling' | 'embedded';

/** One line of the report: what is measured, on whom, and what each is told to do. */
export interface Case {
  readonly label: CaseLabel;
  readonly unit: 'tasks/s' | 'ms' | 'bytes/task';
  readonly better: 'more' | 'less';
  readonly subjects: readonly SubjectName[];
  /** Tasks put into the queue beforehand. */
  readonly filled: (subject: SubjectName) => number;
  readonly order: (subject: SubjectName) => Order;
}

/** How a case is named in the report. */
export interface CaseLabel {
  readonly case: 'enqueue' | 'enqueue-many' | 'process' | 'round-trip' | 'pickup' | 'memory';
  readonly callers?: number;
  readonly concurrency?: number;
  /** Set where tasks come from a program of another language than the worker's. */
  readonly producer?: 'go';
}

const batch = 1_000;

/**
 * Every case. Numbers of tasks differ from subject to subject so that each run takes about as long; a rate does not
 * depend on them.
 */
export function allCases({ quick, goProgram }: { quick: boolean; goProgram: string | undefined }): readonly Case[] {
  const scale = quick ? 10 : 1;
  const sized = (ours: number, theirs: number) => (subject: SubjectName) =>
    Math.ceil((subject === 'nestjs-asynq' || subject === 'engine' ? ours : theirs) / scale / batch) * batch;
  const all: readonly SubjectName[] = ['nestjs-asynq', 'engine', 'bullmq', 'asynq-go'];
  const nothing = (): number => 0;

  const enqueue = (callers: number, tasks: (subject: SubjectName) => number): Case => ({
    label: { case: 'enqueue', callers },
    unit: 'tasks/s',
    better: 'more',
    subjects: all,
    filled: nothing,
    order: (subject) => ({ kind: 'enqueue', callers, tasks: tasks(subject) }),
  });

  const enqueueMany: Case = {
    label: { case: 'enqueue-many' },
    unit: 'tasks/s',
    better: 'more',
    subjects: ['nestjs-asynq', 'engine', 'bullmq'],
    filled: nothing,
    order: (subject) => ({ kind: 'enqueue-many', batch, tasks: sized(150_000, 30_000)(subject) }),
  };

  const process = (concurrency: number): Case => {
    const tasks = sized(concurrency === 10 ? 100_000 : 200_000, 40_000);
    // Go's program counts from its start, having nothing to warm up.
    const warmUp = (subject: SubjectName): number => (subject === 'asynq-go' ? 0 : tasks(subject) / 5);
    return {
      label: { case: 'process', concurrency },
      unit: 'tasks/s',
      better: 'more',
      subjects: all,
      filled: (subject) => tasks(subject) + warmUp(subject),
      order: (subject) => ({ kind: 'process', concurrency, tasks: tasks(subject), warmUp: warmUp(subject) }),
    };
  };

  const roundTrip: Case = {
    label: { case: 'round-trip', concurrency: 100 },
    unit: 'tasks/s',
    better: 'more',
    subjects: ['nestjs-asynq', 'engine', 'embedded'],
    filled: nothing,
    order: () => {
      const tasks = quick ? 10_000 : 100_000;
      return { kind: 'round-trip', concurrency: 100, batch, tasks, warmUp: tasks / 5 };
    },
  };

  const pickup: Case = {
    label: { case: 'pickup' },
    unit: 'ms',
    better: 'less',
    subjects: ['nestjs-asynq', 'engine', 'bullmq'],
    filled: nothing,
    order: () => ({ kind: 'pickup', tasks: quick ? 30 : 200, gapMs: 10, goProgram: undefined }),
  };

  const pickupFromGo: Case = {
    ...pickup,
    label: { case: 'pickup', producer: 'go' },
    subjects: ['nestjs-asynq', 'engine', 'asynq-go'],
    order: (subject) =>
      // Go's worker polls about once a second: shorter gaps would measure its busy state.
      subject === 'asynq-go'
        ? { kind: 'pickup', tasks: quick ? 3 : 12, gapMs: quick ? 300 : 1_100, goProgram }
        : { kind: 'pickup', tasks: quick ? 30 : 200, gapMs: 10, goProgram },
  };

  const memory: Case = {
    label: { case: 'memory' },
    unit: 'bytes/task',
    better: 'less',
    subjects: ['nestjs-asynq', 'bullmq', 'asynq-go'],
    filled: nothing,
    order: (subject) => {
      const tasks = quick ? 20_000 : 50_000;
      return subject === 'asynq-go' ? { kind: 'enqueue', callers: 50, tasks } : { kind: 'fill', tasks };
    },
  };

  return [
    enqueue(1, sized(10_000, 10_000)),
    enqueue(50, sized(100_000, 30_000)),
    enqueueMany,
    process(10),
    process(100),
    process(500),
    roundTrip,
    pickup,
    ...(goProgram === undefined ? [] : [pickupFromGo]),
    memory,
  ].map((one) =>
    goProgram === undefined ? { ...one, subjects: one.subjects.filter((name) => name !== 'asynq-go') } : one,
  );
}
