import type { Case, CaseScale, Measuring, SubjectName, Unit } from '../case.js';
import type { Order } from '../subjects/orders.js';

const batch = 1_000;
const rate = [{ unit: 'tasks/s', better: 'more' }] as const;
const everyone: readonly SubjectName[] = ['nestjs-asynq', 'engine', 'bullmq', 'asynq-go'];

/** Numbers of tasks differ from subject to subject, so that each run takes about as long; a rate does not depend on them. */
export function sized({ quick }: CaseScale, ours: number, theirs: number): (subject: SubjectName) => number {
  return (subject) => {
    const tasks = subject === 'nestjs-asynq' || subject === 'engine' ? ours : theirs;
    return Math.ceil(tasks / (quick ? 10 : 1) / batch) * batch;
  };
}

/** Fills the queue and has it handled. The engine's run tells what Redis alone would need, too. */
export async function measureProcess(
  { subject, redis, ask }: Measuring,
  order: Extract<Order, { kind: 'process' }> & { readonly bytes?: number },
): Promise<{ readonly figures: readonly number[]; readonly others?: { readonly ceiling: readonly number[] } }> {
  const filled = order.tasks + order.warmUp;
  const { bytes, queues } = order;
  const size = {
    tasks: filled,
    ...(bytes === undefined ? {} : { bytes }),
    ...(queues === undefined ? {} : { queues }),
  };
  // Go reads what the engine writes, and the engine writes it faster.
  await ask({ kind: 'fill', ...size }, subject === 'asynq-go' ? 'engine' : subject);
  await redis.resetStatistics();
  const figures = await ask(order);
  if (subject !== 'engine') return { figures };
  // The tasks of the warm-up went through Redis as well.
  return { figures, others: { ceiling: [(filled / (await redis.microsInScripts())) * 1_000_000] } };
}

/** Enqueueing and handling as fast as it goes. */
export function throughputCases(scale: CaseScale): readonly Case[] {
  return [
    enqueue(1, scale),
    enqueue(50, scale),
    enqueueMany(scale),
    process(10, scale),
    process(50, scale),
    process(100, scale),
    process(500, scale),
    roundTrip(scale),
    memory(scale),
  ];
}

function enqueue(callers: number, scale: CaseScale): Case {
  const tasks = callers === 1 ? sized(scale, 10_000, 10_000) : sized(scale, 100_000, 30_000);
  return {
    label: { case: 'enqueue', callers },
    metrics: rate,
    subjects: everyone,
    measure: async ({ subject, ask, redis }) => {
      const figures = await ask({ kind: 'enqueue', callers, tasks: tasks(subject) });
      // What one caller waits for is the round trip; a bare one is measured beside it.
      if (callers > 1 || subject !== 'engine') return { figures };
      return { figures, others: { ping: [await redis.pingRate(tasks(subject))] } };
    },
    targets: callers === 1 ? [{ subject: 'engine', against: 'ping', wanted: 0.85 }] : [],
  };
}

function enqueueMany(scale: CaseScale): Case {
  const tasks = sized(scale, 150_000, 30_000);
  return {
    label: { case: 'enqueue-many' },
    metrics: rate,
    subjects: ['nestjs-asynq', 'engine', 'bullmq'],
    measure: async ({ subject, ask }) => ({
      figures: await ask({ kind: 'enqueue-many', batch, tasks: tasks(subject) }),
    }),
  };
}

function process(concurrency: number, scale: CaseScale): Case {
  const tasks = sized(scale, concurrency <= 50 ? 100_000 : 200_000, 40_000);
  // Go's program counts from its start, having nothing to warm up.
  const warmUp = (subject: SubjectName): number => (subject === 'asynq-go' ? 0 : tasks(subject) / 5);
  const overBullmq = new Map([
    [10, 3],
    [50, 5],
    [100, 5],
  ]).get(concurrency);
  const ofCeiling = new Map([
    [10, 0.6],
    [50, 0.6],
    [500, 0.7],
  ]).get(concurrency);
  return {
    label: { case: 'process', concurrency },
    metrics: rate,
    subjects: everyone,
    measure: (measuring) => {
      const { subject } = measuring;
      return measureProcess(measuring, {
        kind: 'process',
        concurrency,
        tasks: tasks(subject),
        warmUp: warmUp(subject),
      });
    },
    targets: [
      ...(overBullmq === undefined
        ? []
        : [{ subject: 'nestjs-asynq', against: 'bullmq', wanted: overBullmq } as const]),
      ...(ofCeiling === undefined ? [] : [{ subject: 'engine', against: 'ceiling', wanted: ofCeiling } as const]),
    ],
  };
}

function roundTrip({ quick }: CaseScale): Case {
  const tasks = quick ? 10_000 : 100_000;
  return {
    label: { case: 'round-trip', concurrency: 100 },
    metrics: rate,
    subjects: ['nestjs-asynq', 'engine', 'embedded'],
    measure: async ({ ask }) => ({
      figures: await ask({ kind: 'round-trip', concurrency: 100, batch, tasks, warmUp: tasks / 5 }),
    }),
  };
}

function memory({ quick }: CaseScale): Case {
  const tasks = quick ? 20_000 : 50_000;
  return {
    label: { case: 'memory' },
    metrics: [{ unit: 'bytes/task' satisfies Unit, better: 'less' }],
    subjects: ['nestjs-asynq', 'bullmq', 'asynq-go'],
    once: true,
    measure: async ({ subject, ask, redis }) => {
      const before = await redis.usedMemory();
      await ask(subject === 'asynq-go' ? { kind: 'enqueue', callers: 50, tasks } : { kind: 'fill', tasks });
      return { figures: [((await redis.usedMemory()) - before) / tasks] };
    },
  };
}
