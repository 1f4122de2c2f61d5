import type { TickOutcome } from '../model/broker/schedule.contract.js';
import type { EpochMs } from '../model/time/duration.js';

/** What is remembered of the ticks of one schedule. */
export interface TickNotes {
  /** What became of a tick, and the id of the task it was to enqueue. */
  readonly ticks: Map<EpochMs, { readonly became: Exclude<TickOutcome, 'taken'>; readonly taskId: string }>;
  latest: EpochMs | undefined;
  /** The last task that a tick stored. */
  lastTaskId: string | undefined;
}
