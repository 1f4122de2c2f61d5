import type { EpochMs } from '../time/duration.js';

/** The state of a server, as Redis stores it (P-107). */
export type ServerStatus = 'new' | 'active' | 'stopped' | 'closed';

/** Who a server is, in Redis and in log lines. */
export interface ServerIdentity {
  readonly host: string;
  readonly pid: number;
  readonly serverId: string;
}

/** Returns the identity as one text, `host:pid:server-id`, which names the owner of a lease. */
export function serverName({ host, pid, serverId }: ServerIdentity): string {
  return `${host}:${pid}:${serverId}`;
}

/** A live server as others see it (P-104). */
export interface ServerInfo extends ServerIdentity {
  readonly concurrency: number;
  /** Queue names and priorities, as configured. */
  readonly queues: Readonly<Record<string, number>>;
  readonly strictPriority: boolean;
  readonly status: ServerStatus;
  readonly startedAt: EpochMs;
  readonly activeWorkerCount: number;
  /** Which groups it aggregates. Absent for servers that do not publish it, such as Go's. */
  readonly aggregates?: readonly AggregatedGroups[];
}

/** Groups that a server aggregates: those whose names start with `prefix`, in one queue or in all. */
export interface AggregatedGroups {
  readonly queue: string | undefined;
  /** Empty for all groups. */
  readonly prefix: string;
}

/** One running task as others see it (P-105). */
export interface WorkerInfo extends ServerIdentity {
  readonly taskId: string;
  readonly taskType: string;
  readonly taskPayload: Uint8Array;
  readonly queue: string;
  readonly startedAt: EpochMs;
  readonly deadline: EpochMs;
}
