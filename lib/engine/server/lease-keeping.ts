import type { CancelThen } from '../../model/broker/presence.contract.js';
import type { WorkContract } from '../../model/broker/work.contract.js';
import { addMs, type EpochMs, fromEpochSeconds, ms, type Ms, toEpochSeconds } from '../../model/time/duration.js';
import type { Execution } from './execution.js';

/** How long a lease lasts from the moment it is taken or extended (spec/03 §8). */
export const leaseLength: Ms = ms(30_000);

/** When a lease ends that is taken now: whole seconds, as it is stored. */
export function leaseEnd(now: EpochMs): EpochMs {
  return fromEpochSeconds(toEpochSeconds(addMs(now, leaseLength)));
}

/** What became of the leases of one queue's runs; the others were kept. */
export interface KeptLeases {
  /** Somebody else's now. */
  readonly lost: ReadonlySet<Execution>;
  /** What cancellations asked for that may not have been heard. */
  readonly canceled: ReadonlyMap<Execution, CancelThen>;
}

/**
 * Extends the leases of one queue's runs, also those that have run out as long as nobody else took the task.
 *
 * @returns the runs that are somebody else's now, and those that were canceled.
 * @throws what the broker throws when it cannot be asked; then nothing is known about any of them.
 */
export async function keepLeases(request: {
  readonly work: Pick<WorkContract, 'extendLeases'>;
  readonly queue: string;
  /** `host:pid:server-id` of this server. */
  readonly owner: string;
  readonly executions: readonly Execution[];
  readonly now: EpochMs;
}): Promise<KeptLeases> {
  const { work, queue, owner, executions, now } = request;
  const leaseUntil = leaseEnd(now);
  const leases = executions.map(({ message, leaseAsked, takenAt }) => ({
    taskId: message.id,
    until: leaseAsked,
    takenAt,
  }));
  // Asked for is asked for, even if no answer comes. Not so once the lease has run out: whoever took the task then was
  // given a lease of the same length, and one we only asked for could not be told from theirs.
  for (const execution of executions) if (now < execution.leaseUntil) execution.leaseAsked = leaseUntil;
  const news = await work.extendLeases({ queue, owner, leases, leaseUntil });
  const lostIds = new Set(news.lost);
  const consequences = new Map(news.canceled.map(({ taskId, then }) => [taskId, then]));
  const lost = new Set<Execution>();
  const canceled = new Map<Execution, CancelThen>();
  for (const execution of executions) {
    const then = consequences.get(execution.message.id);
    if (then !== undefined) canceled.set(execution, then);
    if (lostIds.has(execution.message.id)) lost.add(execution);
    else execution.leaseUntil = execution.leaseAsked = leaseUntil;
  }
  return { lost, canceled };
}
