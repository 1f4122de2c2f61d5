import type { AsynqServer } from '../../../lib/engine/server/asynq-server.js';
import type { Handler } from '../../../lib/engine/middleware.js';
import type { AsynqServerOptions } from '../../../lib/engine/server/server-options.js';
import { silentLogger } from '../../../lib/engine/logger.js';
import { openBroker } from '../../../lib/engine/open-broker.js';
import { systemClock } from '../../../lib/engine/system-clock.js';
import type { Broker } from '../../../lib/model/broker/broker.js';
import { addMs, epochMs, type EpochMs, ms, toEpochSeconds } from '../../../lib/model/time/duration.js';
import { faultyBroker } from '../../support/faulty-broker.js';
import { SkewedClock } from '../../support/skewed-clock.js';
import { aGate, until } from '../../support/until.js';
import { ServerUnderTest } from '../server-under-test.js';

/** The broker with storage that lives in another time; `asked` counts how often that was asked for. */
function storageIn(broker: Broker, time: () => EpochMs | Promise<EpochMs>): Broker & { asked: number } {
  const storage = Object.create(broker) as Broker & { asked: number };
  storage.asked = 0;
  storage.time = async () => {
    storage.asked += 1;
    return await time();
  };
  return storage;
}

describe('a server on a machine with a wrong clock', () => {
  let test: ServerUnderTest;
  let clock: SkewedClock;
  const handle = (): void => {};

  beforeEach(() => {
    test = ServerUnderTest.open({ time: 'virtual' });
    clock = new SkewedClock(test.clock);
  });

  afterEach(async () => await test.close());

  async function start(handler: Handler, options: AsynqServerOptions = {}): Promise<AsynqServer> {
    return await test.start(handler, { clock, broker: storageIn(test.broker, () => test.clock.now()), ...options });
  }

  it('says so when it starts, and when the clock is right again, and works all the same', async () => {
    clock.offset = 12_000;
    const id = await test.enqueue();
    await start(handle);
    await test.untilState(id, 'gone');
    await test.time.advance('60s');
    expect(test.happened('clockOff')).toEqual([{ offset: 12_000, tasks: 'taken' }]);
    expect(test.logger.messages('warn').join('\n')).toMatch(/^The clock of this machine is 12\.0 s ahead of [^\n]*$/);
    clock.offset = 0;
    await test.time.advance('5s');
    expect(test.happened('clockRight')).toEqual([{ offset: 0 }]);
    expect(test.logger.messages('info')).toContain('The clocks of this machine and of Redis agree again');
  });

  it.each([45_000, -45_000])('takes no task while it is more than a lease off (%i ms)', async (offset) => {
    clock.offset = offset;
    const id = await test.enqueue();
    await start(handle);
    await test.time.advance('60s');
    expect(await test.stateOf(id)).toBe('pending');
    expect(test.happened('clockOff')).toEqual([{ offset, tasks: 'left' }]);
    expect(test.logger.messages('warn').join()).toContain('Until then this server takes no tasks and recovers none');
    clock.offset = 0;
    await test.time.advance('5s');
    await test.untilState(id, 'gone');
    expect(test.happened('clockRight')).toHaveLength(1);
  });

  it('takes no task from the moment the clock is set wrong', async () => {
    await start(handle);
    await test.untilState(await test.enqueue(), 'gone');
    clock.offset = -60_000;
    const id = await test.enqueue();
    await test.time.advance('4s');
    expect(test.happened('clockOff')).toEqual([{ offset: -60_000, tasks: 'left' }]);
    expect(await test.stateOf(id)).toBe('pending');
    clock.offset = 0;
    await test.time.advance('5s');
    await test.untilState(id, 'gone');
  });

  it('checks the time before it takes a task after the clock was set, and continues if the clock is right', async () => {
    const answer = aGate<EpochMs>();
    let isSlow = false;
    const broker = storageIn(test.broker, async () => (isSlow ? await answer.opened : test.clock.now()));
    clock.offset = -9_000;
    await start(handle, { broker });
    await test.untilState(await test.enqueue(), 'gone');
    isSlow = true;
    clock.offset = 0;
    const id = await test.enqueue();
    await test.time.advance('1s');
    expect(await test.stateOf(id)).toBe('pending');
    answer.open(test.clock.now());
    await test.untilState(id, 'gone');
    expect(test.happened('clockOff')).toEqual([]);
  });

  it('takes nothing before it has compared the clocks', async () => {
    const answer = aGate<EpochMs>();
    const broker = storageIn(test.broker, async () => await answer.opened);
    const id = await test.enqueue();
    const started = start(handle, { broker });
    await until('it asks', () => broker.asked > 0);
    await test.time.advance('3s');
    expect(await test.stateOf(id)).toBe('pending');
    answer.open(test.clock.now());
    await test.untilState(id, 'gone');
    await started;
  });

  it('lets handlers continue, keeps their leases by the right time, and writes their outcomes', async () => {
    const gate = aGate();
    const id = await test.enqueue();
    await start(async () => await gate.opened);
    await test.untilHappened('started');
    clock.offset = -60_000;
    await test.time.advance('31s');
    expect(await test.leaseOf(id)).toBeGreaterThan(toEpochSeconds(test.clock.now()) + 20);
    clock.offset = 60_000;
    await test.time.advance('31s');
    expect(await test.leaseOf(id)).toBeGreaterThan(toEpochSeconds(test.clock.now()) + 20);
    gate.open();
    await test.untilHappened('completed');
    expect(await test.stateOf(id)).toBe('gone');
    expect(test.happened('leaseLost')).toEqual([]);
  });

  it('loses a lease that has expired by the right time', async () => {
    const broker = faultyBroker(test.broker);
    await test.enqueue();
    await start(async () => await new Promise(() => {}), { broker: storageIn(broker, () => test.clock.now()) });
    await test.untilHappened('started');
    clock.offset = -60_000;
    await test.time.advance('10s');
    broker.faults.extendLeases.push(...Array.from({ length: 20 }, () => 'lost-before' as const));
    await test.time.advance('40s');
    expect(test.happened('leaseLost')).toHaveLength(1);
  });

  it('recovers no task of another server, forwards none and deletes none', async () => {
    const { broker, queue } = test;
    const theirs = await test.enqueue();
    const now = test.clock.now();
    const leaseUntil = addMs(now, ms(90_000));
    await broker.work.dequeue({ queue, limit: 1, now, leaseUntil, owner: 'elsewhere:1:x' });
    const later = await test.enqueue({}, { kind: 'scheduled', processAt: addMs(now, ms(90_000)) });
    clock.offset = 3_600_000;
    await start(handle);
    await test.time.advance('60s');
    expect(await test.stateOf(theirs)).toBe('active');
    expect(await test.stateOf(later)).toBe('scheduled');
    expect(test.happened('recovered')).toEqual([]);
    clock.offset = 0;
    await test.time.advance('60s');
    await test.untilHappened('recovered');
    await test.untilState(later, 'gone');
  });

  it('is not healthy while it takes no tasks', async () => {
    const health: unknown[] = [];
    clock.offset = 50_000;
    await start(handle, { healthCheck: (error) => health.push(error), healthCheckInterval: '5s' });
    await test.time.advance('5s');
    clock.offset = 20_000;
    await test.time.advance('10s');
    expect(health[0]).toMatchObject({
      code: 'ASYNQ_CLOCK_OFF',
      offset: 50_000,
      message: 'The clock of this machine is 50.0 s ahead of that of Redis',
    });
    expect(health.at(-1)).toBeUndefined();
  });
});

describe('a server with a wrong clock beside a real Redis', () => {
  it('takes nothing, even if it was started before Redis could be reached', async () => {
    const test = ServerUnderTest.open();
    const clock = new SkewedClock(systemClock, 50);
    clock.offset = -40_000;
    const own = openBroker(test.url, { clock: systemClock, logger: silentLogger });
    const id = await test.enqueue();
    const broker = storageIn(own, async () => await own.time());
    const server = await test.start(() => {}, { clock, broker, waitForRedis: true });
    await until('the clocks were compared again and again', () => broker.asked > 4);
    expect(await test.stateOf(id)).toBe('pending');
    clock.offset = 0;
    await test.untilState(id, 'gone');
    await server.shutdown();
    await own.close();
    await test.close();
  });

  it('compares it with the time of Redis, and works as soon as it is right', async () => {
    const test = ServerUnderTest.open();
    const clock = new SkewedClock(systemClock, 50);
    clock.offset = 40_000;
    const broker = storageIn(test.broker, async () => await test.broker.time());
    const id = await test.enqueue();
    await test.start(() => {}, { clock, broker });
    await until('the clocks were compared again and again', () => broker.asked > 4);
    expect(await test.stateOf(id)).toBe('pending');
    const [off] = test.happened('clockOff');
    expect(off).toMatchObject({ tasks: 'left' });
    expect(off?.offset).toBeGreaterThan(39_000);
    expect(off?.offset).toBeLessThan(41_000);
    clock.offset = 0;
    await test.untilState(id, 'gone');
    expect(test.happened('clockOff')).toHaveLength(1);
    expect(test.happened('clockRight')).toHaveLength(1);
    await test.close();
  });
});

describe('a server with a virtual clock', () => {
  it('does not ask Redis for its time', async () => {
    const test = ServerUnderTest.open({ time: 'virtual' });
    const broker = storageIn(test.broker, () => epochMs(0));
    await test.start(() => {}, { broker });
    await test.untilState(await test.enqueue(), 'gone');
    await test.time.advance('60s');
    expect(broker.asked).toBe(0);
    await test.close();
  });
});
