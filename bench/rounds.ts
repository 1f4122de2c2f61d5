import type { BenchRedis } from './bench-redis.js';
import type { Case, CaseLabel, Figures, Metric, SubjectName, Unit } from './case.js';
import type { Request } from './subjects/orders.js';

/** A process that can be measured. */
export interface MeasuredSubject {
  readonly name: string;
  measure(request: Request): Promise<readonly number[]>;
  close(): void;
}

/** A line of the report: one metric of a case with its figures, one per round, by subject. */
export interface Measured {
  readonly case: Case;
  readonly metric: Metric;
  readonly rounds: ReadonlyMap<SubjectName, readonly number[]>;
}

export interface RoundsInput {
  readonly redis: BenchRedis;
  readonly subjects: ReadonlyMap<SubjectName, MeasuredSubject>;
  /** Starts one more process of a subject. */
  readonly startProcess: (name: SubjectName) => MeasuredSubject;
  readonly rounds: number;
  /** No round is begun that would probably end later than this. */
  readonly limitMs: number;
  readonly say: (line: string) => void;
}

/** Measures all cases as many times as there are rounds, the subjects of a case in turn, each on an empty Redis. */
export async function runRounds(cases: readonly Case[], input: RoundsInput): Promise<readonly Measured[]> {
  const measured = cases.map((one) =>
    one.metrics.map((metric) => ({ case: one, metric, rounds: new Map<SubjectName, number[]>() })),
  );
  const start = performance.now();
  let longest = 0;
  for (let round = 1; round <= input.rounds; round++) {
    const begun = performance.now();
    if (begun - start + longest > input.limitMs) {
      input.say(`round ${round} is skipped because it would take too long`);
      break;
    }
    for (const [index, one] of cases.entries()) {
      if (one.once === true && round > 1) continue;
      // Whoever is first in one round is last in the next.
      const order = round % 2 === 1 ? one.subjects : one.subjects.toReversed();
      for (const name of order) {
        const { figures, others = {} } = await measureOnce(one, { ...input, name });
        const all = Object.entries({ [name]: figures, ...others }) as [SubjectName, readonly number[]][];
        for (const [subject, values] of all) {
          for (const [at, value] of values.entries()) add(measured[index]?.[at]?.rounds, { subject, value });
        }
        const shown = one.metrics.map((metric, at) => show(figures[at] ?? Number.NaN, metric.unit));
        input.say(`round ${round}, ${titleOf(one.label)}: ${name} ${shown.join(', ')}`);
      }
    }
    longest = Math.max(longest, performance.now() - begun);
  }
  return measured.flat();
}

function add(
  rounds: Map<SubjectName, number[]> | undefined,
  { subject, value }: { readonly subject: SubjectName; readonly value: number },
): void {
  rounds?.set(subject, [...(rounds.get(subject) ?? []), value]);
}

async function measureOnce(one: Case, input: RoundsInput & { readonly name: SubjectName }): Promise<Figures> {
  const { redis, name } = input;
  await redis.flush();
  const fleet: MeasuredSubject[] = [];
  try {
    return await one.measure({
      subject: name,
      redis,
      ask: async (order, by = name) => {
        const subject = input.subjects.get(by);
        if (subject === undefined) throw new Error(`${titleOf(one.label)} needs ${by}, which is skipped`);
        return await subject.measure({ ...order, redis: redis.url });
      },
      askAll: async (order, processes) => {
        while (fleet.length < processes) fleet.push(input.startProcess(name));
        return await Promise.all(fleet.map((subject) => subject.measure({ ...order, redis: redis.url })));
      },
    });
  } finally {
    for (const subject of fleet) subject.close();
  }
}

/** A case in words: `process, concurrency 100`. */
export function titleOf({ case: name, ...settings }: CaseLabel): string {
  return [name, ...Object.entries(settings).map(([key, value]) => `${key} ${value}`)].join(', ');
}

/** A figure as people read it. */
export function show(figure: number, unit: Unit): string {
  const digits = digitsOf(unit);
  return `${figure.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })} ${unit}`;
}

/** Digits after the point that mean something. */
export function digitsOf(unit: Unit): number {
  switch (unit) {
    case 'ms':
    case '% CPU':
      return 2;
    case 'µs/task':
    case 'commands/s':
      return 1;
    case 'tasks/s':
    case 'bytes/task':
    case '% of ideal':
      return 0;
  }
}
