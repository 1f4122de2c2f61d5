import type { RunClaim } from '../model/broker/work.contract.js';
import { type EpochMs, toEpochSeconds } from '../model/time/duration.js';
import type { RedisArgument } from './connection/redis-connection.js';
import { writeOwner } from './task-owner.js';
import { listReply, numberReply } from './connection/reply.js';
import type { ScriptRunner } from './script-runner.js';
import type { SettleCall } from './settle-scripts.js';

/** The lease that each task must have for its settlement to be written. */
export type LeaseClaims =
  /** The lease of the settling run, one claim per task. */
  | { readonly kind: 'held'; readonly owner: string; readonly runs: readonly RunClaim[] }
  /** A listed lease, by its end in Unix seconds, on behalf of a lost worker: see `MaintenanceContract.recover`. */
  | { readonly kind: 'listed'; readonly leaseSeconds: readonly number[] };

/** Tasks of one settle call. */
export interface FencedTasks {
  readonly call: SettleCall;
  readonly claims: LeaseClaims;
  /** The index of each task of this call in the claims. */
  readonly indexes: readonly number[];
  readonly ids: readonly string[];
  readonly args: readonly RedisArgument[];
  readonly now: EpochMs;
}

/**
 * Runs a settle script so that it does not touch tasks that were taken again. The usual call costs the server little:
 * it compares the ends of a few leases, or reads its clock. Only if that leaves open who owns the tasks, the owner of
 * each task is passed to the script, which compares it.
 *
 * @returns the positions, from 0, of tasks that were not settled.
 */
export async function runFenced(runner: ScriptRunner, tasks: FencedTasks): Promise<readonly number[]> {
  const { claims, now } = tasks;
  if (claims.kind === 'held') {
    const fence = firstEnd(claims.runs, tasks.indexes);
    if (toEpochSeconds(now) < fence) {
      const reply = await send(runner, tasks, { fence, claims: [] });
      if (Array.isArray(reply)) return positionsOf(reply);
    }
  }
  return positionsOf(await send(runner, tasks, claimArguments(tasks)));
}

async function send(
  runner: ScriptRunner,
  { call, ids, args }: FencedTasks,
  { fence, claims }: { readonly fence: RedisArgument; readonly claims: readonly RedisArgument[] },
): ReturnType<ScriptRunner['run']> {
  return await runner.run(call.script, call.keys, [...call.head, fence, ids.length, ...ids, ...claims, ...args]);
}

function claimArguments({ claims, indexes }: FencedTasks): { fence: string; claims: RedisArgument[] } {
  if (claims.kind === 'listed') {
    return { fence: 'LISTED', claims: indexes.map((index) => claims.leaseSeconds[index] ?? 0) };
  }
  const args: RedisArgument[] = [];
  for (const index of indexes) {
    const { takenAt, leaseAsked } = claims.runs[index] as RunClaim;
    args.push(writeOwner({ owner: claims.owner, takenAt }), toEpochSeconds(leaseAsked));
  }
  return { fence: 'HELD', claims: args };
}

/** Returns when the first of these leases ends, in Unix seconds. */
function firstEnd(runs: readonly RunClaim[], indexes: readonly number[]): number {
  let first = Infinity;
  for (const index of indexes) first = Math.min(first, (runs[index] as RunClaim).leaseUntil);
  return Math.floor(first / 1_000);
}

function positionsOf(reply: Awaited<ReturnType<ScriptRunner['run']>>): readonly number[] {
  return listReply(reply).map((position) => numberReply(position) - 1);
}
