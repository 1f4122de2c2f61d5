import type { EngineEvents } from '../../../lib/engine/engine-events.js';
import type { TaskGroup, TaskToEnqueue } from '../../../lib/engine/maintenance/task-group.js';
import type { AsynqServer } from '../../../lib/engine/server/asynq-server.js';
import type { AsynqServerOptions } from '../../../lib/engine/server/server-options.js';
import { TaskMux } from '../../../lib/engine/server/task-mux.js';
import type { TaskMessage } from '../../../lib/model/task/task-message.js';
import type { Duration } from '../../../lib/model/time/duration.js';
import { groupKey, queueKeys } from '../../../lib/redis/keys.js';
import { aGate } from '../../support/until.js';
import { ServerUnderTest } from '../server-under-test.js';

/** A server that aggregates, in a time that moves when told, and what became of its groups. */
export class GroupsUnderTest {
  /** What aggregators were given. */
  readonly seen: TaskGroup[] = [];

  private constructor(readonly test: ServerUnderTest) {}

  static open(): GroupsUnderTest {
    return new GroupsUnderTest(ServerUnderTest.open({ time: 'virtual' }));
  }

  async close(): Promise<void> {
    await this.test.close();
  }

  /** A server without handlers, so that combined tasks stay where they were put; `combine` makes them. */
  async start(
    options: AsynqServerOptions = {},
    combine: (group: TaskGroup) => unknown = () => ['digest', 'combined'],
  ): Promise<AsynqServer> {
    const aggregator = (group: TaskGroup): TaskToEnqueue => {
      this.seen.push(group);
      return combine(group) as TaskToEnqueue;
    };
    return await this.test.start(new TaskMux(), { aggregator, ...options });
  }

  /** Puts a task into a group. */
  async join(group: string, parts: Partial<TaskMessage> = {}): Promise<string> {
    return await this.test.enqueue({ group, ...parts }, { kind: 'aggregating' });
  }

  /** Puts some into a group. */
  async joinMany(group: string, count: number): Promise<readonly string[]> {
    const ids: string[] = [];
    for (let n = 0; n < count; n += 1) ids.push(await this.join(group));
    return ids;
  }

  /** Moves time on and lets what it sets off finish. */
  async advance(by: Duration): Promise<void> {
    await this.test.time.advance(by);
  }

  /** How many tasks each aggregation had, in order. */
  get sizes(): readonly number[] {
    return this.test.happened('aggregated').map(({ size }) => size);
  }

  get failures(): readonly EngineEvents['aggregationFailed'][] {
    return this.test.happened('aggregationFailed');
  }

  /** Messages of the tasks that wait in a queue, oldest first. */
  async pending(queue = this.test.queue): Promise<readonly TaskMessage[]> {
    const ids = await this.test.redis.lrange(queueKeys(queue).pending, 0, -1);
    return await Promise.all(ids.toReversed().map(async (id) => await this.test.message(id, queue)));
  }

  /** Ids of the tasks that wait in a group. */
  async waiting(group: string): Promise<readonly string[]> {
    return await this.test.redis.zrange(groupKey(this.test.keys, group), 0, '-1');
  }
}

/** A function that is held up at every call until it is let go. */
export function heldUp(): {
  readonly combine: () => Promise<TaskToEnqueue>;
  readonly letGo: () => void;
} {
  const gate = aGate();
  return {
    combine: async () => {
      await gate.opened;
      return ['digest', 'late'];
    },
    letGo: () => gate.open(),
  };
}
