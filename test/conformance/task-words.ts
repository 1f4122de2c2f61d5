import type { EnqueuePlace } from '../../lib/model/broker/enqueue.contract.js';
import type { ClaimedSettlement, RunClaim, Settlement } from '../../lib/model/broker/work.contract.js';
import type { TaskMessage } from '../../lib/model/task/task-message.js';
import { addMs, type EpochMs, epochMs, ms, toEpochSeconds } from '../../lib/model/time/duration.js';

/**
 * The instant at which these tests take place: a quarter past the last second that is over. It has to be near the
 * server's own time, which counters and locks expire by, and never ahead of it.
 */
export const now: EpochMs = epochMs(Math.floor(Date.now() / 1_000) * 1_000 - 750);
export const nowSeconds = toEpochSeconds(now);
/** The whole second that {@link now} is in. */
export const sharp: EpochMs = epochMs(nowSeconds * 1_000);
export const leaseSeconds = nowSeconds + 30;

/** Who dequeues in these tests. */
export const owner = 'host:1:server';

/** What a run that was taken then, for 30 seconds, claims. */
export function runTaken(takenAt: EpochMs = now): RunClaim {
  const leaseUntil = addMs(takenAt, ms(30_000));
  return { takenAt, leaseUntil, leaseAsked: leaseUntil };
}

/** How such runs ended. */
export function ended(settlements: readonly Settlement[], run: RunClaim = runTaken()): readonly ClaimedSettlement[] {
  return settlements.map((settlement) => ({ ...run, settlement }));
}

/** The instant so many milliseconds after {@link now}. */
export function after(delay: number): EpochMs {
  return addMs(now, ms(delay));
}

/** So many ids: `id-0`, `id-1` and so on. */
export function ids(count: number): readonly string[] {
  return Array.from({ length: count }, (_, i) => `id-${i}`);
}

/** A task as a client makes it. */
export function aMessage(fields: Partial<TaskMessage> & { readonly queue: string }): TaskMessage {
  return {
    type: 'email:send',
    payload: Buffer.from('{}'),
    id: 'a',
    maxRetry: 25,
    retried: 0,
    errorMessage: '',
    timeoutSeconds: 1_800,
    deadlineSeconds: 0,
    uniqueKey: '',
    lastFailedAtSeconds: 0,
    retentionSeconds: 0,
    completedAtSeconds: 0,
    group: '',
    headers: undefined,
    unknownFields: undefined,
    ...fields,
  };
}

/** What a test says of a request; the rest is as of a plain enqueue of a caller who chose the id. */
export interface Wanted extends Partial<TaskMessage> {
  readonly place?: EnqueuePlace;
  readonly uniqueForSeconds?: number;
  readonly idIsGenerated?: boolean;
}

/** A request to run a task later. */
export function later(id: string, processAt: EpochMs, fields: Wanted = {}): Wanted {
  return { ...fields, id, place: { kind: 'scheduled', processAt } };
}

/** A request to aggregate a task. */
export function grouped(id: string, group: string, fields: Wanted = {}): Wanted {
  return { ...fields, id, group, place: { kind: 'aggregating' } };
}
