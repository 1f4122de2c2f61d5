import { setPriority } from 'node:os';
import { slowLogArgs, SlowLog } from '../support/slow-log.js';
import { openStorage } from '../support/storage.js';
import { TaskFiller } from '../support/task-filler.js';
import { type BigSetStage, scenes } from './big-set-scenes.js';
import type { DrillContext } from './drill-context.js';

const defaultLimitMs = 20;

/**
 * Queues with sets of a million tasks, each of which ends at once: no command holds up the others for longer than the
 * limit, whatever its set holds. What fills the sets does not count, and neither does what other programs would do.
 */
export async function bigSets(context: DrillContext): Promise<void> {
  const { verdict, tasks: large = 1_000_000, limitMs = defaultLimitMs, only, atEnd } = context;
  if (only !== undefined && scenes[only] === undefined) {
    throw new Error(`No scene "${only}"; there are ${Object.keys(scenes).join(', ')}`);
  }
  const { own, redis, client } = await openStorage({ atEnd }, { args: slowLogArgs });
  giveWay(own.pid);
  await redis.config('SET', 'latency-monitor-threshold', limitMs);
  const slowLog = await SlowLog.of(redis);
  const filler = new TaskFiller(redis, client);
  const slowest = new Map<string, number>();
  for (const [name, play] of Object.entries(scenes)) {
    if (only !== undefined && only !== name) continue;
    const stage: BigSetStage = {
      redis,
      client,
      filler,
      url: own.url,
      large,
      begin: async () => {
        await slowLog.reset();
        await redis.call('LATENCY', 'RESET');
      },
    };
    const started = performance.now();
    await play(stage);
    verdict.tell(name, `played in ${((performance.now() - started) / 1_000).toFixed(1)} s`);
    const { calls, standstillMs } = await slowLog.read();
    verdict.tell('  longest pause of the server process', `${standstillMs.toFixed(1)} ms`);
    for (const [command, { count, slowestMs, middleMs }] of calls) {
      verdict.tell(
        `  ${command}, ${count} above 1 ms`,
        `${middleMs.toFixed(1)} ms, the slowest ${slowestMs.toFixed(1)} ms`,
      );
      slowest.set(command, Math.max(slowest.get(command) ?? 0, slowestMs));
    }
    // A key that expires with all its members is no command, and holds up everybody all the same.
    for (const [event, , , most] of (await redis.call('LATENCY', 'LATEST')) as [string, number, number, number][]) {
      if (event !== 'command' && event !== 'fast-command') verdict.tell(`  ${event}`, `${most} ms`);
    }
    await redis.flushall('ASYNC');
  }
  for (const [command, ms] of [...slowest].sort(([, one], [, other]) => other - one)) {
    verdict.expect(`slowest ${command}`, {
      figure: `${ms.toFixed(1)} ms`,
      bound: `at most ${limitMs} ms`,
      holds: ms <= limitMs,
    });
  }
}

/** In production the server has a core of its own: here it goes before everything else, where that is allowed. */
function giveWay(pid: number | undefined): void {
  try {
    if (pid !== undefined) setPriority(pid, -20);
  } catch {
    // Then the machine must be quiet.
  }
}
