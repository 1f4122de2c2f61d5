import type { GroupCheck } from '../../lib/model/broker/maintenance.contract.js';
import { type EpochMs, epochMs, ms } from '../../lib/model/time/duration.js';
import type { QueueUnderTest } from './queue-under-test.js';
import { grouped, sharp } from './task-words.js';

export interface GroupLimits {
  readonly maxSize?: number;
  readonly maxDelay?: number;
  readonly gracePeriod?: number;
  readonly group?: string;
  readonly at?: EpochMs;
}

/** Members `m0`, `m1` and so on of one group, the given seconds old. */
export async function givenGroup(
  tasks: QueueUnderTest,
  ages: readonly number[],
  group = 'g',
): Promise<readonly string[]> {
  for (const [i, age] of ages.entries()) await tasks.enqueueAt(epochMs(sharp - age * 1_000), grouped(`m${i}`, group));
  return ages.map((_, i) => `m${i}`);
}

/** Looks whether a group is ready, as an aggregator does. */
export async function checkGroup(tasks: QueueUnderTest, limits: GroupLimits = {}): Promise<GroupCheck> {
  return await tasks.broker.maintenance.collectGroup({
    queue: tasks.queue,
    group: limits.group ?? 'g',
    now: limits.at ?? sharp,
    maxSize: limits.maxSize ?? 0,
    maxDelay: ms(limits.maxDelay ?? 0),
    gracePeriod: ms(limits.gracePeriod ?? 60_000),
  });
}

/** The id of the set that a group which is ready became. */
export async function collect(tasks: QueueUnderTest, limits: GroupLimits = {}): Promise<string> {
  const checked = await checkGroup(tasks, limits);
  if (checked.kind === 'collected') return checked.setId;
  throw new Error(`the group is not ready before ${checked.readyAt}`);
}
