import { ServerUnderTest } from '../server-under-test.js';
import { ms } from '../../../lib/model/time/duration.js';
import { aGate } from '../../support/until.js';

describe('fetching', () => {
  let test: ServerUnderTest;

  beforeEach(() => {
    test = ServerUnderTest.open();
  });

  afterEach(async () => await test.close());

  it('S-26 handles waiting and new tasks, and leaves nothing active', async () => {
    const seen = new Set<string>();
    for (let index = 0; index < 300; index += 1) await test.enqueue();
    await test.start(async (task) => await Promise.resolve(void seen.add(task.id)));
    for (let index = 0; index < 100; index += 1) await test.enqueue();
    await test.untilHappened('completed', 400);
    expect(seen.size).toBe(400);
    expect(test.happened('started')).toHaveLength(400);
    expect(await test.redis.exists(test.keys.active, test.keys.lease, test.keys.pending)).toBe(0);
  });

  it('S-27 handles tasks of several queues, also of more than can be waited on', async () => {
    const queues = Array.from({ length: 8 }, () => test.anotherQueue());
    for (const queue of queues) await test.enqueue({ queue });
    const server = await test.start(() => {}, { queues: Object.fromEntries(queues.map((name) => [name, 1])) });
    await test.untilHappened('completed', 8);
    for (const queue of queues) await test.enqueue({ queue });
    await test.untilHappened('completed', 16);
    expect(server.status).toBe('active');
  });

  it('S-28, P-13 passes the payload byte for byte', async () => {
    const payload = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    const seen: Buffer[] = [];
    await test.enqueue({ payload });
    await test.start((task) => void seen.push(task.rawPayload));
    await test.untilHappened('completed');
    expect(seen[0]?.equals(payload)).toBe(true);
  });

  it('S-34 never runs more tasks than its concurrency, and uses all of it', async () => {
    let running = 0;
    let most = 0;
    const full = aGate();
    for (let index = 0; index < 100; index += 1) await test.enqueue();
    await test.start(
      async () => {
        most = Math.max(most, (running += 1));
        if (running === 7) full.open();
        await full.opened;
        running -= 1;
      },
      { concurrency: 7 },
    );
    await test.untilHappened('completed', 100);
    expect(most).toBe(7);
  });

  it('fetches no more tasks than can run, and leaves the rest for other workers', async () => {
    const gate = aGate();
    for (let index = 0; index < 5; index += 1) await test.enqueue();
    await test.start(async () => await gate.opened, { concurrency: 3 });
    await test.untilHappened('started', 3);
    expect(await test.redis.llen(test.keys.pending)).toBe(2);
    expect(await test.redis.llen(test.keys.active)).toBe(3);
    gate.open();
    await test.untilHappened('completed', 5);
  });

  it('S-37 starts tasks of one queue first in, first out', async () => {
    const ids: string[] = [];
    const seen: string[] = [];
    for (let index = 0; index < 50; index += 1) ids.push(await test.enqueue());
    await test.start(async (task) => await Promise.resolve(void seen.push(task.id)), { concurrency: 1 });
    await test.untilHappened('completed', 50);
    expect(seen).toEqual(ids);
  });

  it('S-33 serves strict priorities in order', async () => {
    const [critical, low] = [test.anotherQueue(), test.anotherQueue()];
    for (let index = 0; index < 10; index += 1) {
      await test.enqueue({ queue: low });
      await test.enqueue({ queue: test.queue });
      await test.enqueue({ queue: critical });
    }
    const seen: string[] = [];
    const queues = { [low]: 1, [critical]: 6, [test.queue]: 3 };
    await test.start((task) => void seen.push(task.queue), { queues, strictPriority: true, concurrency: 1 });
    await test.untilHappened('completed', 30);
    const expected = [critical, test.queue, low].flatMap((queue) => Array.from({ length: 10 }, () => queue));
    expect(seen).toEqual(expected);
  });

  it('S-33 lets a task of higher priority overtake those waiting in a lower queue', async () => {
    const [critical, low] = [test.anotherQueue(), test.anotherQueue()];
    const gates = [aGate(), aGate()];
    const seen: string[] = [];
    await test.enqueue({ queue: low });
    await test.enqueue({ queue: low });
    const queues = { [critical]: 2, [low]: 1 };
    await test.start(
      async (task) => {
        seen.push(task.queue);
        await gates[seen.length - 1]?.opened;
      },
      { queues, strictPriority: true, concurrency: 1 },
    );
    await test.untilHappened('started');
    const urgent = await test.enqueue({ queue: critical });
    // Waits on the same connection, after the server, which has seen the task then.
    const { signal } = new AbortController();
    await test.broker.work.waitForTask({ queue: critical, timeout: ms(5_000), signal });
    gates[0]?.open();
    await test.untilHappened('started', 2);
    gates[1]?.open();
    await test.untilHappened('completed', 3);
    expect(seen).toEqual([low, critical, low]);
    expect(await test.stateOf(urgent, critical)).toBe('gone');
  });

  it('S-30 shares its slots by weight', async () => {
    const [heavy, light] = [test.anotherQueue(), test.anotherQueue()];
    for (let index = 0; index < 300; index += 1) {
      await test.enqueue({ queue: heavy });
      await test.enqueue({ queue: light });
    }
    const seen: string[] = [];
    await test.start(async (task) => await Promise.resolve(void seen.push(task.queue)), {
      queues: { [heavy]: 3, [light]: 1 },
      concurrency: 4,
    });
    await test.untilHappened('completed', 600);
    // Of the first 200 tasks, three quarters are to come from the heavy queue; drawn with a fixed seed.
    const share = seen.slice(0, 200).filter((queue) => queue === heavy).length / 200;
    expect(share).toBeGreaterThan(0.65);
    expect(share).toBeLessThan(0.85);
  });

  it('offers the slots that a queue cannot fill to the others', async () => {
    const [heavy, light] = [test.anotherQueue(), test.anotherQueue()];
    const gate = aGate();
    await test.enqueue({ queue: heavy });
    for (let index = 0; index < 20; index += 1) await test.enqueue({ queue: light });
    await test.start(async () => await gate.opened, { queues: { [heavy]: 100, [light]: 1 }, concurrency: 10 });
    await test.untilHappened('started', 10);
    gate.open();
    await test.untilHappened('completed', 21);
  });

  it('S-36, P-58 leaves a paused queue alone while others are served, and continues once it is resumed', async () => {
    const other = test.anotherQueue();
    await test.redis.set(test.keys.paused, '1');
    const paused = await test.enqueue();
    await test.enqueue({ queue: other });
    await test.start(() => {}, { queues: { [test.queue]: 5, [other]: 1 }, taskCheckInterval: '50ms' });
    await test.untilHappened('completed');
    expect(await test.stateOf(paused)).toBe('pending');
    await test.redis.del(test.keys.paused);
    await test.untilHappened('completed', 2);
    expect(await test.stateOf(paused)).toBe('gone');
  });

  it('reports a message that does not decode, archives it, and continues with the others', async () => {
    const [first, broken, last] = [await test.enqueue(), await test.enqueue(), await test.enqueue()];
    await test.redis.hset(`${test.keys.taskPrefix}${broken}`, 'msg', Buffer.from('ffff', 'hex'));
    await test.start(() => {});
    await test.untilHappened('completed', 2);
    const [undecodable] = await test.untilHappened('undecodable');
    expect(undecodable?.task.id).toBe(broken);
    expect(await test.stateOf(broken)).toBe('archived');
    expect([await test.stateOf(first), await test.stateOf(last)]).toEqual(['gone', 'gone']);
    expect(test.logger.messages('error').join()).toContain(`Task "${broken}"`);
  });
});
