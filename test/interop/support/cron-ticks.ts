import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { nextTick } from '../../../lib/model/cron/cron-next.js';
import { parseCronSpec } from '../../../lib/model/cron/cron-spec.js';
import { epochMs } from '../../../lib/model/time/duration.js';

/** Asks for ticks after `from`: the next `count`, all up to `until`, or as many as both allow. Epoch milliseconds. */
export interface CronRequest {
  readonly spec: string;
  readonly zone: string;
  readonly from: number;
  readonly until?: number;
  readonly count?: number;
}

export interface CronAnswer {
  readonly rejected?: true;
  /** Epoch seconds; left out when there are none, and when they are too many to list. */
  readonly ticks?: readonly number[];
  /** For each month in UTC, how many ticks, and the beginning of the SHA-256 of their epoch seconds. */
  readonly months?: readonly string[];
}

/** What golden/cron-ticks.json holds: what robfig/cron, the library of Asynq's scheduler, answered. */
export const recordedTicks = JSON.parse(
  readFileSync(join(__dirname, '..', 'golden', 'cron-ticks.json'), 'utf8'),
) as readonly (CronRequest & { readonly answer: CronAnswer })[];

/** Our ticks, in epoch seconds. */
export function ticksOf({ spec, zone, from, until = Infinity, count = Infinity }: CronRequest): readonly number[] {
  const schedule = parseCronSpec(spec, { timeZone: zone });
  const ticks: number[] = [];
  let last = nextTick(schedule, epochMs(from));
  for (; last !== undefined && last <= until && ticks.length < count; last = nextTick(schedule, last)) {
    ticks.push(last / 1_000);
  }
  return ticks;
}

/** Ticks in the form of Go's answer. */
export function answerOf(ticks: readonly number[], form: { readonly summedUp: boolean }): CronAnswer {
  if (form.summedUp) return { months: sumUp(ticks) };
  return ticks.length === 0 ? {} : { ticks };
}

function sumUp(ticks: readonly number[]): readonly string[] {
  const months = Array.from({ length: 12 }, (): number[] => []);
  for (const tick of ticks) months[new Date(tick * 1_000).getUTCMonth()]?.push(tick);
  return months.map(
    (month) => `${month.length}:${createHash('sha256').update(month.join(',')).digest('hex').slice(0, 16)}`,
  );
}
