import type { BenchRedis } from './bench-redis.js';
import type { Case, SubjectName } from './cases.js';
import type { Request } from './subjects/orders.js';

/** A process that can be measured. */
export interface MeasuredSubject {
  readonly name: string;
  measure(request: Request): Promise<number>;
}

/** A case with its figures, one per round, by subject. */
export interface Measured {
  readonly case: Case;
  readonly rounds: ReadonlyMap<SubjectName, readonly number[]>;
}

export interface RoundsInput {
  readonly redis: BenchRedis;
  readonly subjects: ReadonlyMap<SubjectName, MeasuredSubject>;
  readonly rounds: number;
  /** No round is begun that would probably end later than this. */
  readonly limitMs: number;
  readonly say: (line: string) => void;
}

/** Measures all cases as many times as there are rounds, the subjects of a case in turn, each on an empty Redis. */
export async function runRounds(cases: readonly Case[], input: RoundsInput): Promise<readonly Measured[]> {
  const measured = cases.map((one) => ({ case: one, rounds: new Map<SubjectName, number[]>() }));
  const start = performance.now();
  let longest = 0;
  for (let round = 1; round <= input.rounds; round++) {
    const begun = performance.now();
    if (begun - start + longest > input.limitMs) {
      input.say(`round ${round} is left out, for it would take too long`);
      break;
    }
    for (const { case: one, rounds } of measured) {
      // What is always the same needs one round only.
      if (one.label.case === 'memory' && round > 1) continue;
      // Whoever is first in one round is last in the next.
      const order = round % 2 === 1 ? one.subjects : one.subjects.toReversed();
      for (const name of order) {
        const subject = input.subjects.get(name);
        if (subject === undefined) continue;
        const { figure, ceiling } = await measureOnce(one, { ...input, name, subject });
        add(rounds, { name, figure });
        if (ceiling !== undefined) add(rounds, { name: 'ceiling', figure: ceiling });
        input.say(`round ${round}, ${titleOf(one)}: ${name} ${show(figure, one.unit)}`);
      }
    }
    longest = Math.max(longest, performance.now() - begun);
  }
  return measured;
}

function add(rounds: Map<SubjectName, number[]>, { name, figure }: { name: SubjectName; figure: number }): void {
  rounds.set(name, [...(rounds.get(name) ?? []), figure]);
}

interface OnceInput extends RoundsInput {
  readonly name: SubjectName;
  readonly subject: MeasuredSubject;
}

async function measureOnce(one: Case, input: OnceInput): Promise<{ figure: number; ceiling?: number }> {
  const { redis, subjects, subject, name } = input;
  await redis.flush();
  const order = one.order(name);
  const filled = one.filled(name);
  if (filled > 0) {
    // Go reads what the engine writes, and the engine writes it faster.
    const filler = name === 'asynq-go' ? subjects.get('engine') : subject;
    await filler?.measure({ kind: 'fill', tasks: filled, redis: redis.url });
  }
  if (one.label.case === 'memory') {
    const before = await redis.usedMemory();
    await subject.measure({ ...order, redis: redis.url });
    return { figure: ((await redis.usedMemory()) - before) / order.tasks };
  }
  await redis.resetStatistics();
  const figure = await subject.measure({ ...order, redis: redis.url });
  if (name !== 'engine' || one.label.case !== 'process') return { figure };
  // The tasks of the warm-up went through Redis as well.
  return { figure, ceiling: (filled / (await redis.microsInScripts())) * 1_000_000 };
}

/** A case in words: `process, concurrency 100`. */
export function titleOf({ label }: Case): string {
  const { case: name, ...settings } = label;
  return [name, ...Object.entries(settings).map(([key, value]) => `${key} ${value}`)].join(', ');
}

/** A figure as people read it. */
export function show(figure: number, unit: Case['unit']): string {
  const digits = unit === 'ms' ? 2 : 0;
  return `${figure.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })} ${unit}`;
}
