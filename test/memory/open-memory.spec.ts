import { silentLogger } from '../../lib/engine/logger.js';
import { openBroker } from '../../lib/engine/open-broker.js';
import { systemClock } from '../../lib/engine/system-clock.js';
import { MemoryBroker } from '../../lib/memory/memory-broker.js';
import type { Broker } from '../../lib/model/broker/broker.js';
import { InvalidOptionError } from '../../lib/model/errors/option-errors.js';
import { ms } from '../../lib/model/time/duration.js';
import { aTaskMessage } from '../support/a-task-message.js';
import { watchLeaks } from '../support/leak-check.js';
import { uniqueQueue } from '../support/unique-queue.js';
import { VirtualClock } from '../support/virtual-clock.js';

const queue = 'orders';
const now = systemClock.now();
const opened: Broker[] = [];

function open(redis: string | URL): Broker {
  const broker = openBroker(redis, { clock: systemClock, logger: silentLogger });
  opened.push(broker);
  return broker;
}

async function store(broker: Broker, id: string): Promise<void> {
  const message = aTaskMessage({ id, queue, type: 't' });
  const request = { message, place: { kind: 'pending' }, uniqueForSeconds: 0, idIsGenerated: false } as const;
  expect(await broker.enqueue.enqueue([request], now)).toEqual(['enqueued']);
}

async function take(broker: Broker): Promise<readonly string[]> {
  const { messages } = await broker.work.dequeue({ queue, limit: 10, now, leaseUntil: now, owner: 'h:1:s' });
  return messages.map(({ id }) => id);
}

describe('the option memory:', () => {
  afterEach(async () => {
    for (const broker of opened.splice(0)) await broker.close();
  });

  it.each(['memory:', 'MEMORY:', 'memory:orders', 'memory:a.B_c-1', 'memory:đơn-hàng', new URL('memory:orders')])(
    'opens a broker in memory for %s',
    async (option) => {
      const broker = open(option);
      expect(broker).toBeInstanceOf(MemoryBroker);
      await broker.open();
      await broker.ping();
      expect(broker.isAvailable()).toBe(true);
    },
  );

  it('tells which store it is', () => {
    expect(open('memory:').describe()).toBe('memory:');
    expect(open('memory:orders').describe()).toBe('memory:orders');
  });

  it('gives each its own store when there is no name', async () => {
    const [one, other] = [open('memory:'), open('memory:')];
    await store(one, 'a');
    expect(await take(other)).toEqual([]);
    expect(await take(one)).toEqual(['a']);
  });

  it('gives all with the same name one store, and others another', async () => {
    const name = uniqueQueue('shared');
    const [one, other, stranger] = [open(`memory:${name}`), open(`memory:${name}`), open(`memory:${name}-2`)];
    await store(one, 'a');
    expect(await take(stranger)).toEqual([]);
    expect(await take(other)).toEqual(['a']);
  });

  it('wakes and cancels across the brokers of a name', async () => {
    const name = uniqueQueue('signals');
    const [producer, worker] = [open(`memory:${name}`), open(`memory:${name}`)];
    const heard: string[] = [];
    await worker.presence.subscribe({
      onWake: (of) => heard.push(`wake ${of}`),
      onDue: () => {},
      onMaintenance: () => {},
      onCancel: (id, request) => heard.push(`cancel ${id} ${request?.outcome ?? 'bare'}`),
      onReconnect: () => {},
    });
    const waiting = worker.work.waitForTask({ queue, timeout: ms(60_000), signal: new AbortController().signal });
    await store(producer, 'a');
    expect(await waiting).toBe('task');
    await take(worker);
    await producer.presence.cancel({ queue, taskId: 'a', outcome: 'archive', now });
    await Promise.resolve();
    expect(heard).toEqual([`wake ${queue}`, 'cancel a archive', 'cancel a bare']);
  });

  it('drops the store of a name when its last broker is closed, however often one is closed', async () => {
    const option = `memory:${uniqueQueue('dropped')}`;
    const [one, other] = [open(option), open(option)];
    await store(one, 'a');
    await one.close();
    await one.close();
    await store(open(option), 'b');
    await other.close();
    expect(await take(opened.at(-1) as Broker)).toEqual(['a', 'b']);
    await store(opened.at(-1) as Broker, 'c');
    await (opened.at(-1) as Broker).close();
    expect(await take(open(option))).toEqual([]);
  });

  it.each([
    'memory',
    'memory://host',
    'memory://',
    'memory:/path',
    'memory: ',
    ' memory:',
    'memory:a b',
    'memory:a:b',
    'memory:a?b=c',
    'memory:a@b',
    new URL('memory://host'),
  ])('refuses %s and says what is allowed', (option) => {
    expect(() => open(option)).toThrow(InvalidOptionError);
    expect(() => open(option)).toThrow("redis must be 'memory:' or 'memory:NAME', the name of letters, digits,");
  });

  it('leaves values that only begin like that to Redis', () => {
    expect(() => open('memory.example.com:6379')).toThrow('redis must be a URL: redis://');
    expect(() => open('redis://memory:6379/x')).toThrow('redis must be a URL with a whole number as its database');
  });

  it('uses the task clock if that is not the real one', async () => {
    const taskClock = new VirtualClock();
    const broker = openBroker('memory:', { clock: systemClock, taskClock, logger: silentLogger });
    const waiting = broker.work.waitForTask({ queue, timeout: ms(10_000), signal: new AbortController().signal });
    expect(taskClock.armedTimers).toBe(1);
    await taskClock.advance('10s');
    expect(await waiting).toBe('none');
  });

  it('keeps nothing open once its waits have ended', async () => {
    const leaks = watchLeaks();
    const broker = open('memory:');
    const stop = new AbortController();
    const waits = [stop.signal, new AbortController().signal].map(
      async (signal) => await broker.work.waitForTask({ queue, timeout: ms(60_000), signal }),
    );
    stop.abort();
    await broker.close();
    expect(await Promise.all(waits)).toEqual(['none', 'none']);
    await leaks.expectNone();
  });
});
