import type { Redis } from 'ioredis';
import { AsynqServer } from 'nestjs-asynq/core';
import { openStorage } from '../support/storage.js';
import { startProxy } from '../support/proxy.js';
import { type DrillContext, must, until } from './drill-context.js';
import { enqueueHeld, HeldRuns, isAnnouncedOnce, storedOf } from './held-runs.js';

const perEnding = 20;
/** A lease, what the recovery of a dead worker's tasks may take after it, and some time to begin. */
const recoveryLimitMs = 60_000;

/**
 * A worker is cut off while it sends its outcomes. Another recovers its tasks and runs them; then the first one's bytes
 * arrive, and it is connected again: nothing of it counts, and no task runs twice at once.
 */
export async function fencing({ verdict, atEnd }: DrillContext): Promise<void> {
  const { own, redis, client } = await openStorage({ atEnd });
  const proxy = await startProxy(own.port);
  atEnd(() => proxy.stop());
  const start = async (url: string): Promise<{ readonly runs: HeldRuns; readonly server: AsynqServer }> => {
    const runs = new HeldRuns();
    const server = new AsynqServer({ redis: url, concurrency: 1_000, retryDelay: () => '1h' });
    atEnd(() => server.shutdown());
    runs.listen(server);
    await server.start(runs.mux);
    return { runs, server };
  };

  const first = await start(proxy.url);
  let late = 0;
  first.server.events.on('lateOutcome', () => (late += 1));
  const ids = await enqueueHeld(client, 'fenced', perEnding);
  await must('the tasks run', () => ids.every((id) => first.runs.begun.has(id)));
  proxy.holdRequests();
  for (const id of ids) first.runs.end(id);
  await must('the outcomes are sent', () => ids.every((id) => proxy.held.includes(id)), 4_000);
  proxy.cut({ held: 'kept' });
  const cutAt = performance.now();

  const second = await start(own.url);
  await must('another worker runs the tasks', () => ids.every((id) => second.runs.begun.has(id)), recoveryLimitMs);
  verdict.tell('the tasks ran again after', `${((performance.now() - cutAt) / 1_000).toFixed(1)} s`);
  const before = await recordsOf(redis, ids);
  verdict.tell('bytes that arrive late', proxy.held.length);
  await proxy.deliver();
  expectUnchanged('records changed by late bytes', await recordsOf(redis, ids));
  await proxy.restore();
  await until(() => late >= ids.length, 10_000);
  verdict.expect('outcomes refused when the first worker is back', {
    figure: late,
    bound: `all ${ids.length}`,
    holds: late === ids.length,
  });
  expectUnchanged('records changed by its return', await recordsOf(redis, ids));

  for (const id of ids) second.runs.end(id);
  await until(() => second.runs.announced.length >= ids.length, 10_000);
  const stored = await storedOf(redis, ids);
  verdict.expect('outcomes of the second worker stored', {
    figure: stored.length,
    bound: `all ${ids.length}`,
    holds: stored.length === ids.length,
  });
  verdict.expectNone('not announced by it, or not once', ids.filter((id) => !isAnnouncedOnce(second.runs, id)).length);
  verdict.expectNone('announced by the first one', first.runs.announced.length);
  const again = [first, second].flatMap(({ runs }) => [...runs.begun.values()].filter((times) => times > 1));
  verdict.expectNone('tasks that a worker ran more than once', again.length);

  function expectUnchanged(what: string, after: readonly Held[]): void {
    const changed = after.filter(({ lease, record }, index) => {
      const known = before[index] as Held;
      // The second worker extends its leases meanwhile, and nobody may shorten them.
      return record !== known.record || lease < known.lease;
    });
    verdict.expectNone(what, changed.length);
  }
}

/** A running task as Redis has it. */
interface Held {
  /** The whole record, and how often the task is marked as running. */
  readonly record: string;
  /** When its lease ends, Unix seconds; 0 without one. */
  readonly lease: number;
}

async function recordsOf(redis: Redis, ids: readonly string[]): Promise<readonly Held[]> {
  const active = await redis.lrange('asynq:{default}:active', 0, -1);
  return await Promise.all(
    ids.map(async (id) => {
      const hash = await redis.hgetallBuffer(`asynq:{default}:t:${id}`);
      const fields = Object.entries(hash).map(([name, bytes]) => `${name}=${bytes.toString('hex')}`);
      const times = active.filter((one) => one === id).length;
      return {
        record: `${times} ${fields.toSorted().join(' ')}`,
        lease: Number(await redis.zscore('asynq:{default}:lease', id)),
      };
    }),
  );
}
