import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import type { Handler } from '../../../lib/engine/middleware.js';
import type { AsynqServerOptions } from '../../../lib/engine/server/server-options.js';
import { ms } from '../../../lib/model/time/duration.js';
import { taskKey } from '../../../lib/redis/keys.js';
import { faultyBroker } from '../../support/faulty-broker.js';
import { StandstillClock } from '../../support/standstill-clock.js';
import { ServerUnderTest } from '../server-under-test.js';

/** Longer than a lease, and than what it is over before others touch its task. */
const longEnough = 70_000;

describe('a worker whose process stands still for longer than a lease', () => {
  let test: ServerUnderTest;
  let clock: StandstillClock;
  let id: string;
  /** What the other worker announced. */
  let others: readonly string[];

  beforeEach(async () => {
    test = ServerUnderTest.open();
    clock = new StandstillClock();
    others = [];
    id = await test.enqueue({ retentionSeconds: 3_600 });
  });

  afterEach(async () => await test.close());

  const start = async (handler: Handler, options: AsynqServerOptions = {}): Promise<void> => {
    await test.start(handler, { clock, concurrency: 1, ...options });
  };

  /** What was sent in this turn of the event loop goes out, and no answer to it is read yet. */
  const sent = async (): Promise<void> => {
    for (let tick = 0; tick < 20; tick += 1) await new Promise<void>((resolve) => process.nextTick(resolve));
  };

  /** Nothing of this process moves while another does tasks. */
  const standStillWhileAnotherDoes = (tasks: number, later = longEnough): void => {
    const loader = join(__dirname, '../../interop/support/run-typescript.cjs');
    const args = [loader, join(__dirname, 'take-over.ts'), test.url, test.queue, String(later), String(tasks)];
    const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 20_000 });
    if (stdout === '') throw new Error(`the other worker has failed: ${stderr}`);
    others = JSON.parse(stdout) as readonly string[];
    clock.standStill(ms(later));
  };

  /** A broker on which the first call of a kind is sent, and then the process stands still. */
  const standingStillAt = (method: 'dequeue' | 'settle', standstill: () => void): AsynqServerOptions => {
    const broker = faultyBroker(test.broker);
    let calls = 0;
    const call = async (request: never): Promise<unknown> => {
      const answer = (broker.work[method] as (request: never) => Promise<unknown>)(request);
      calls += 1;
      if (calls === 1) {
        await sent();
        standstill();
      }
      return await answer;
    };
    return { broker: { ...broker, work: { ...broker.work, [method]: call } } };
  };

  const stored = async (task = id): Promise<Record<string, string>> => {
    const { state = 'gone', result = '' } = await test.redis.hgetall(taskKey(test.keys, task));
    return { state, result };
  };

  it('emits nothing for a task that another worker has done in the meantime', async () => {
    await start(async (task) => {
      await task.writeResult(Buffer.from('begun'));
      standStillWhileAnotherDoes(1);
      return 'by the one that stood still';
    });
    await test.untilHappened('lateOutcome');
    expect(others).toEqual([`recovered ${id}`, `started ${id}`, `completed ${id}`]);
    expect(test.happened('completed')).toEqual([]);
    expect(await stored()).toEqual({ state: 'completed', result: '"by the other"' });
  });

  it('emits once for an outcome that was stored, although the reply is still unread', async () => {
    const following = await test.enqueue({ retentionSeconds: 3_600 });
    await start(
      () => 'by the one that stood still',
      standingStillAt('settle', () => standStillWhileAnotherDoes(1)),
    );
    await test.untilHappened('completed');
    // That one had been asked for together with the outcome.
    expect(others).toEqual([`recovered ${following}`, `started ${following}`, `completed ${following}`]);
    await test.untilHappened('leaseLost');
    expect(test.happened('completed').map(({ task }) => task.id)).toEqual([id]);
    expect(await stored()).toEqual({ state: 'completed', result: '"by the one that stood still"' });
    expect(await stored(following)).toEqual({ state: 'completed', result: '"by the other"' });
  });

  it('does not start a fetched task that another worker has done', async () => {
    let calls = 0;
    await start(
      () => void (calls += 1),
      standingStillAt('dequeue', () => standStillWhileAnotherDoes(1)),
    );
    await test.untilHappened('leaseLost');
    expect(others).toEqual([`recovered ${id}`, `started ${id}`, `completed ${id}`]);
    const next = await test.enqueue();
    await test.untilState(next, 'gone');
    expect(calls).toBe(1);
    expect(test.happened('completed').map(({ task }) => task.id)).toEqual([next]);
    expect(await stored()).toEqual({ state: 'completed', result: '"by the other"' });
  });

  it('starts a fetched task that no other worker has taken', async () => {
    await start(
      () => 'at last',
      standingStillAt('dequeue', () => clock.standStill(ms(longEnough))),
    );
    await test.untilHappened('completed');
    expect(test.happenings.map(({ name }) => name)).toEqual(['started', 'completed']);
    expect(await stored()).toEqual({ state: 'completed', result: '"at last"' });
  });

  it('stores a result whose reply is still unread, and ends its run in time', async () => {
    const following = await test.enqueue();
    await start(async (task) => {
      const writing = task.writeResult(Buffer.from('half'));
      await sent();
      standStillWhileAnotherDoes(1, 0);
      clock.standStill(ms(3_600_000));
      await writing;
      task.signal.throwIfAborted();
    });
    await test.untilHappened('completed');
    expect(others).toEqual([`started ${following}`, `completed ${following}`]);
    expect(test.happened('leaseLost')).toEqual([]);
    expect(test.happened('retry')).toEqual([]);
    expect(await stored()).toEqual({ state: 'completed', result: 'half' });
  });
});
