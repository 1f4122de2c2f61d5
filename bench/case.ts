import type { BenchRedis } from './bench-redis.js';
import type { Order } from './subjects/orders.js';

/**
 * Who is measured. `ceiling` and `ping` are no programs: what Redis itself needs for the same work, and what one bare
 * round trip costs. `embedded` is the full Nest path on the broker in memory.
 */
export type SubjectName = 'nestjs-asynq' | 'engine' | 'bullmq' | 'asynq-go' | 'ceiling' | 'ping' | 'embedded';

export type Unit = 'tasks/s' | 'ms' | 'µs/task' | 'bytes/task' | 'commands/s' | '% CPU' | '% of ideal';

/** One figure of a case. */
export interface Metric {
  /** Only where a case has several. */
  readonly name?: string;
  readonly unit: Unit;
  readonly better: 'more' | 'less';
}

/** What a figure must reach; it is checked by `--check`. */
export interface Target {
  /** The metric that is judged; the first one unless given. */
  readonly metric?: string;
  /** Whose figure is judged. */
  readonly subject: SubjectName;
  /** What it is compared with: a peer, or the same subject in another case. Without it `wanted` is in the metric's unit. */
  readonly against?: SubjectName | CaseLabel;
  /** At least this much where more is better, at most this much where less is. A ratio when there is an `against`. */
  readonly wanted: number;
}

/** How a case is named in the report. */
export interface CaseLabel {
  readonly case: CaseName;
  readonly callers?: number;
  readonly concurrency?: number;
  /** Set where tasks come from a program of another language than the worker's. */
  readonly producer?: 'go';
  /** What surrounds a handler. */
  readonly with?: string;
  /** Processes on one queue. */
  readonly processes?: number;
  /** Workers on one queue, ten to a process. */
  readonly workers?: number;
  readonly queues?: number;
  /** How long a handler waits, in milliseconds. */
  readonly handlerMs?: number;
  /** Size of a payload. */
  readonly bytes?: number;
}

export const caseNames = [
  'enqueue',
  'enqueue-many',
  'process',
  'round-trip',
  'pickup',
  'memory',
  'extras',
  'fleet',
  'idle',
  'waiting',
  'due',
  'many-queues',
  'payload',
] as const;

export type CaseName = (typeof caseNames)[number];

/** What a case can ask for while it measures one subject. */
export interface Measuring {
  readonly subject: SubjectName;
  readonly redis: BenchRedis;
  /** Has an order carried out by the subject, or by another one; answers with its figures. */
  readonly ask: (order: Order, by?: SubjectName) => Promise<readonly number[]>;
  /** Has an order carried out by so many further processes of the subject at once; they end with the measurement. */
  readonly askAll: (order: Order, processes: number) => Promise<readonly (readonly number[])[]>;
}

/** Figures in the order of a case's metrics. `others` are figures that came with them, of subjects that are no programs. */
export interface Figures {
  readonly figures: readonly number[];
  readonly others?: Partial<Record<SubjectName, readonly number[]>>;
}

/** One or more lines of the report: what is measured, on whom, and how. */
export interface Case {
  readonly label: CaseLabel;
  readonly metrics: readonly [Metric, ...Metric[]];
  readonly subjects: readonly SubjectName[];
  /** What is always the same, or takes long, is measured in the first round only. */
  readonly once?: boolean;
  readonly measure: (measuring: Measuring) => Promise<Figures>;
  readonly targets?: readonly Target[];
}

/** How large a run is, and what it can use. */
export interface CaseScale {
  /** Divides numbers of tasks. */
  readonly quick: boolean;
  /** Our program around Go's asynq, where Go is. */
  readonly goProgram: string | undefined;
}
