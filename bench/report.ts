import type { Case, CaseLabel, SubjectName } from './cases.js';
import { type Measured, show, titleOf } from './rounds.js';
import { medianOf } from './subjects/carry-out.js';

/** What `--json` prints. */
export interface Report {
  readonly figures: readonly Figure[];
  readonly ratios: readonly Ratio[];
}

interface Figure extends CaseLabel {
  readonly subject: SubjectName;
  readonly median: number;
  readonly unit: string;
}

/** How many times better ours is: the full Nest path, but against the ceiling the bare engine. */
interface Ratio extends CaseLabel {
  readonly against: SubjectName;
  readonly ratio: number;
}

/** Medians and ratios of what was measured. */
export function reportOf(measured: readonly Measured[]): Report {
  const figures = measured.flatMap(({ case: one, rounds }) =>
    [...rounds].map(([subject, values]) => ({
      ...one.label,
      subject,
      median: round(medianOf(values), one.unit === 'ms' ? 3 : 0),
      unit: one.unit,
    })),
  );
  const ratios = measured.flatMap(({ case: one, rounds }) =>
    (['bullmq', 'asynq-go', 'ceiling'] as const).flatMap((against) => {
      const ours = rounds.get(against === 'ceiling' ? 'engine' : 'nestjs-asynq');
      // BullMQ hears no producer of Go; what it needs for its own is what we are measured against.
      const theirs =
        rounds.get(against) ?? (against === 'bullmq' ? withOwnProducer(measured, one)?.get(against) : undefined);
      if (ours === undefined || theirs === undefined) return [];
      const [first, second] = one.better === 'more' ? [ours, theirs] : [theirs, ours];
      return [{ ...one.label, against, ratio: round(medianOf(first) / medianOf(second), 2) }];
    }),
  );
  return { figures, ratios };
}

/** The report as a Markdown table. */
export function tableOf(measured: readonly Measured[], { ratios }: Report): string {
  const subjects = (['nestjs-asynq', 'engine', 'bullmq', 'asynq-go', 'ceiling', 'embedded'] as const).filter((name) =>
    measured.some(({ rounds }) => rounds.has(name)),
  );
  const against = subjects.filter((name) => ratios.some((ratio) => ratio.against === name));
  const head = ['case', ...subjects, ...against.map((name) => (name === 'ceiling' ? 'of ceiling' : `× ${name}`))];
  const rows = measured.map(({ case: one, rounds }) => [
    titleOf(one),
    ...subjects.map((name) => {
      const values = rounds.get(name);
      return values === undefined ? '' : show(medianOf(values), one.unit);
    }),
    ...against.map((name) => {
      const found = ratios.find((ratio) => ratio.against === name && sameLabel(ratio, one.label));
      if (found === undefined) return '';
      return name === 'ceiling' ? `${Math.round(found.ratio * 100)} %` : `${found.ratio.toFixed(1)} ×`;
    }),
  ]);
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0))).join(' | ')} |`;
  const rule = `| ${widths.map((width, column) => (column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`;
  return [line(head), rule, ...rows.map(line)].join('\n');
}

function withOwnProducer(measured: readonly Measured[], one: Case): Measured['rounds'] | undefined {
  if (one.label.producer === undefined) return undefined;
  return measured.find(({ case: { label } }) => label.case === one.label.case && label.producer === undefined)?.rounds;
}

function sameLabel(a: CaseLabel, b: CaseLabel): boolean {
  return (['case', 'callers', 'concurrency', 'producer'] as const).every((key) => a[key] === b[key]);
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
