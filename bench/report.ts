import type { Case, CaseLabel, Metric, SubjectName, Target, Unit } from './case.js';
import { digitsOf, type Measured, show, titleOf } from './rounds.js';
import { medianOf } from './support/statistics.js';

/** What `--json` prints. */
export interface Report {
  readonly figures: readonly Figure[];
  readonly ratios: readonly Ratio[];
  readonly targets: readonly JudgedTarget[];
}

interface Figure {
  readonly case: CaseLabel;
  readonly metric: string | undefined;
  readonly subject: SubjectName;
  readonly median: number;
  readonly unit: Unit;
}

/** How many times better ours is: the full Nest path where it was measured, but against the ceiling the bare engine. */
interface Ratio {
  readonly case: CaseLabel;
  readonly metric: string | undefined;
  readonly against: SubjectName;
  readonly ratio: number;
}

/** A target and whether it was reached. */
export interface JudgedTarget {
  readonly case: CaseLabel;
  readonly metric: string | undefined;
  readonly subject: SubjectName;
  /** What was compared: `bullmq`, the title of another case, or nothing when the figure stands for itself. */
  readonly against: string | undefined;
  readonly wanted: number;
  readonly got: number;
  readonly isReached: boolean;
}

const shownSubjects = ['nestjs-asynq', 'engine', 'bullmq', 'asynq-go', 'ceiling', 'ping', 'embedded'] as const;
const peers = ['bullmq', 'asynq-go', 'ceiling', 'ping'] as const;

/** Medians and ratios of what was measured, and which targets were reached. */
export function reportOf(measured: readonly Measured[]): Report {
  const figures = measured.flatMap(({ case: one, metric, rounds }) =>
    [...rounds].map(([subject, values]) => ({
      case: one.label,
      metric: metric.name,
      subject,
      median: round(medianOf(values), metric.unit === 'ms' ? 3 : digitsOf(metric.unit)),
      unit: metric.unit,
    })),
  );
  const ratios = measured.flatMap((line) => peers.flatMap((against) => ratioOf(measured, line, against) ?? []));
  const targets = measured.flatMap((line) =>
    (line.case.targets ?? [])
      .filter(({ metric }) => (metric ?? line.case.metrics[0].name) === line.metric.name)
      .flatMap((target) => judge(measured, line, target) ?? []),
  );
  return { figures, ratios, targets };
}

function ratioOf(measured: readonly Measured[], line: Measured, against: SubjectName): Ratio | undefined {
  const { case: one, metric, rounds } = line;
  const bare = against === 'ceiling' || against === 'ping';
  const ours = bare ? rounds.get('engine') : (rounds.get('nestjs-asynq') ?? rounds.get('engine'));
  // BullMQ hears no producer of Go; what it needs for its own is what we are measured against.
  const theirs =
    rounds.get(against) ?? (against === 'bullmq' ? withOwnProducer(measured, line)?.get(against) : undefined);
  if (ours === undefined || theirs === undefined) return undefined;
  const [first, second] = metric.better === 'more' ? [ours, theirs] : [theirs, ours];
  return { case: one.label, metric: metric.name, against, ratio: round(medianOf(first) / medianOf(second), 2) };
}

function judge(measured: readonly Measured[], line: Measured, target: Target): JudgedTarget | undefined {
  const { subject, against, wanted } = target;
  const { metric, rounds } = line;
  const ours = rounds.get(subject);
  const theirs = against === undefined ? undefined : figuresOf(measured, line, { subject, against });
  if (ours === undefined || (against !== undefined && theirs === undefined)) return undefined;
  const got = round(medianOf(ours) / (theirs === undefined ? 1 : medianOf(theirs)), 3);
  return {
    case: line.case.label,
    metric: metric.name,
    subject,
    against: typeof against === 'object' ? titleOf(against) : against,
    wanted,
    got,
    isReached: metric.better === 'more' ? got >= wanted : got <= wanted,
  };
}

function figuresOf(
  measured: readonly Measured[],
  line: Measured,
  { subject, against }: { readonly subject: SubjectName; readonly against: SubjectName | CaseLabel },
): readonly number[] | undefined {
  if (typeof against === 'string') return line.rounds.get(against);
  return measured
    .find(({ case: { label }, metric }) => titleOf(label) === titleOf(against) && metric.name === line.metric.name)
    ?.rounds.get(subject);
}

/** The report as a Markdown table. */
export function tableOf(measured: readonly Measured[], { ratios }: Report): string {
  const subjects = shownSubjects.filter((name) => measured.some(({ rounds }) => rounds.has(name)));
  const against = subjects.filter((name) => ratios.some((ratio) => ratio.against === name));
  const head = ['case', ...subjects, ...against.map((name) => (isFloor(name) ? `of ${name}` : `× ${name}`))];
  const rows = measured.map(({ case: one, metric, rounds }) => [
    lineTitle(one, metric),
    ...subjects.map((name) => {
      const values = rounds.get(name);
      return values === undefined ? '' : show(medianOf(values), metric.unit);
    }),
    ...against.map((name) => {
      const found = ratios.find(
        (ratio) => ratio.against === name && ratio.metric === metric.name && titleOf(ratio.case) === titleOf(one.label),
      );
      if (found === undefined) return '';
      return isFloor(name) ? `${Math.round(found.ratio * 100)} %` : `${found.ratio.toFixed(1)} ×`;
    }),
  ]);
  return markdownTable(head, rows);
}

/** The targets as a Markdown table; empty when none of the cases has one. */
export function targetTableOf({ targets }: Report): string {
  if (targets.length === 0) return '';
  return markdownTable(
    ['target', 'of', 'against', 'wanted', 'got', 'reached'],
    targets.map((target) => [
      [titleOf(target.case), ...(target.metric === undefined ? [] : [target.metric])].join(': '),
      target.subject,
      target.against ?? '',
      String(target.wanted),
      String(target.got),
      target.isReached ? 'yes' : 'NO',
    ]),
  );
}

function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0))).join(' | ')} |`;
  const rule = `| ${widths.map((width, column) => (column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`;
  return [line(head), rule, ...rows.map(line)].join('\n');
}

function isFloor(name: SubjectName): boolean {
  return name === 'ceiling' || name === 'ping';
}

function lineTitle(one: Case, metric: Metric): string {
  return metric.name === undefined ? titleOf(one.label) : `${titleOf(one.label)}: ${metric.name}`;
}

function withOwnProducer(measured: readonly Measured[], line: Measured): Measured['rounds'] | undefined {
  const { label } = line.case;
  if (label.producer === undefined) return undefined;
  return measured.find(
    ({ case: other, metric }) =>
      other.label.case === label.case && other.label.producer === undefined && metric.name === line.metric.name,
  )?.rounds;
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
