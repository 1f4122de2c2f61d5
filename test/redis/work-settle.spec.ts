import type { Settlement } from '../../lib/model/broker/work.contract.js';
import { BrokerCommandError, BrokerUnavailableError } from '../../lib/model/errors/broker-errors.js';
import type { TaskMessage } from '../../lib/model/task/task-message.js';
import { addMs, ms } from '../../lib/model/time/duration.js';
import { taskKey } from '../../lib/redis/keys.js';
import { RedisSettle } from '../../lib/redis/redis-settle.js';
import { ScriptRunner } from '../../lib/redis/script-runner.js';
import { aTaskMessage } from '../support/a-task-message.js';
import { aConnection, closeConnections } from '../support/connections.js';
import { seededRandom } from '../support/seeded-random.js';
import { VirtualClock } from '../support/virtual-clock.js';
import { leaseSeconds, now, QueueUnderTest } from './queue-under-test.js';

type Kind = Settlement['kind'];

const kinds: readonly Kind[] = ['done', 'complete', 'retry', 'archive', 'delete', 'requeue', 'snooze', 'return'];

/** Where a task of each kind ends up. */
const placesAfter: Readonly<Record<Kind, readonly string[]>> = {
  done: [],
  complete: ['completed'],
  retry: ['retry', 'due'],
  archive: ['archived'],
  delete: [],
  requeue: ['pending'],
  snooze: ['scheduled', 'due'],
  return: ['scheduled', 'due'],
};

function settlementOf(kind: Kind, message: TaskMessage): Settlement {
  switch (kind) {
    case 'complete':
      return { kind, message, expiresAt: addMs(now, ms(60_000)), result: undefined };
    case 'retry':
      return { kind, message, retryAt: addMs(now, ms(5_000)), counts: 'as-failure' };
    case 'snooze':
      return { kind, message, until: addMs(now, ms(5_000)) };
    case 'return':
      return { kind, message, first: ms(1_000), longest: ms(60_000) };
    case 'done':
    case 'archive':
    case 'delete':
    case 'requeue':
      return { kind, message };
  }
}

describe('settling', () => {
  let tasks: QueueUnderTest;
  beforeEach(() => {
    tasks = QueueUnderTest.open();
  });
  afterEach(async () => await tasks.close());

  const activeIds = async (): Promise<string[]> => await tasks.redis.lrange(tasks.keys.active, 0, -1);
  const leasedIds = async (): Promise<string[]> => await tasks.redis.zrange(tasks.keys.lease, 0, '-1');

  it('settles tasks of every kind in one call, each with its own outcome', async () => {
    const messages = await tasks.running(...kinds.map((id) => ({ id })));
    const settlements = messages.map((message, i) => settlementOf(kinds[i] ?? 'done', message));
    const gone = kinds.map((kind) => settlementOf(kind, tasks.message({ id: `gone-${kind}` })));
    const outcomes = await tasks.settle(...settlements.flatMap((settlement, i) => [settlement, gone[i] ?? settlement]));
    expect(outcomes).toEqual(kinds.flatMap(() => ['settled', 'not-active']));
    for (const kind of kinds) {
      expect([kind, await tasks.placesOf(kind)]).toEqual([kind, placesAfter[kind]]);
      expect(await tasks.redis.exists(taskKey(tasks.keys, `gone-${kind}`))).toBe(0);
    }
    expect(await activeIds()).toEqual([]);
    expect(await leasedIds()).toEqual([]);
  });

  it.each(kinds)('P-76 refuses to %s a task that is in active or in lease alone, and writes nothing', async (kind) => {
    const messages = await tasks.running({ id: 'unleased' }, { id: 'inactive' }, { id: 'fine' });
    await tasks.redis.zrem(tasks.keys.lease, 'unleased');
    await tasks.redis.lrem(tasks.keys.active, 0, 'inactive');
    const outcomes = await tasks.settle(...messages.map((message) => settlementOf(kind, message)));
    expect(outcomes).toEqual(['not-active', 'not-active', 'settled']);
    expect(await tasks.placesOf('unleased')).toEqual(['active']);
    expect(await tasks.placesOf('inactive')).toEqual(['lease']);
    expect(await tasks.placesOf('fine')).toEqual(placesAfter[kind]);
    expect(await tasks.hash('unleased')).toMatchObject({ msg: 'bytes', state: 'active' });
    expect(await tasks.hash('inactive')).toMatchObject({ msg: 'bytes', state: 'active' });
  });

  it.each(kinds)('settles a task once that is told twice to %s', async (kind) => {
    const [message] = await tasks.running({ id: 'a' });
    const twice = settlementOf(kind, message ?? tasks.message());
    expect(await tasks.settle(twice, twice)).toEqual(['settled', 'not-active']);
    expect(await tasks.placesOf('a')).toEqual(placesAfter[kind]);
    const { processed } = await tasks.counters();
    expect([null, '1']).toContain(processed);
  });

  it('releases exactly the tasks given, in whatever order and of however many that run', async () => {
    const random = seededRandom(7);
    for (const [running, given] of [
      [1, 1],
      [5, 5],
      [30, 4],
      [40, 20],
      [300, 10],
      [120, 120],
      [900, 200],
    ] as const) {
      const messages = await tasks.running(...Array.from({ length: running }, (_, i) => ({ id: `${running}-${i}` })));
      const before = await activeIds();
      const shuffled = messages.toSorted(() => random() - 0.5).slice(0, given);
      const strangers = Array.from({ length: 3 }, (_, i) => tasks.message({ id: `stranger-${i}` }));
      const wanted = [...shuffled, ...strangers].toSorted(() => random() - 0.5);
      const outcomes = await tasks.settle(...wanted.map((message) => settlementOf('done', message)));
      expect(outcomes).toEqual(wanted.map((message) => (strangers.includes(message) ? 'not-active' : 'settled')));
      const left = before.filter((id) => !shuffled.some((message) => message.id === id));
      expect(await activeIds()).toEqual(left);
      expect((await leasedIds()).toSorted()).toEqual(left.toSorted());
      const rest = messages.filter((message) => !shuffled.includes(message));
      await tasks.settle(...rest.map((message) => settlementOf('done', message)));
      expect(await activeIds()).toEqual([]);
    }
  });

  it('releases the oldest tasks, as most calls do, and leaves an id that is there twice alone', async () => {
    const messages = await tasks.running({ id: 'a' }, { id: 'b' }, { id: 'c' });
    await tasks.redis.rpush(tasks.keys.active, 'a');
    const outcomes = await tasks.settle(...messages.slice(0, 2).map((message) => settlementOf('done', message)));
    expect(outcomes).toEqual(['settled', 'settled']);
    expect(await activeIds()).toEqual(['c', 'a']);
  });

  it.each(['retry', 'archive', 'delete', 'requeue'] as const)(
    'lets the recoverer %s a task only while it has the lease that was listed',
    async (kind) => {
      const messages = await tasks.running({ id: 'a' }, { id: 'b' }, { id: 'c' });
      await tasks.redis.zadd(tasks.keys.lease, leaseSeconds + 5, 'b');
      const settle = new RedisSettle(new ScriptRunner(tasks.connection));
      const settlements = messages.map((message) => settlementOf(kind, message));
      const leases = [leaseSeconds, leaseSeconds, leaseSeconds - 1];
      const outcomes = await settle.settle({ queue: tasks.queue, settlements, leases, now });
      expect(outcomes).toEqual(['settled', 'not-active', 'not-active']);
      expect(await tasks.placesOf('a')).toEqual(placesAfter[kind]);
      expect(await tasks.placesOf('b')).toEqual(['active', 'lease']);
      expect(await tasks.placesOf('c')).toEqual(['active', 'lease']);
    },
  );

  it('P-77 sends no empty key for a task without a lock, and frees none outside of the queue', async () => {
    const foreign = `${tasks.queue}-lock`;
    await tasks.redis.set(foreign, 'b');
    const messages = await tasks.running({ id: 'a' }, { id: 'b', uniqueKey: foreign });
    const outcomes = await tasks.settle(...messages.map((message) => settlementOf('done', message)));
    expect(outcomes).toEqual(['settled', 'settled']);
    expect(await tasks.redis.get(foreign)).toBe('b');
    await tasks.redis.del(foreign);
  });

  it.each<[Kind, 'completed' | 'retry' | 'archived' | 'pending' | 'scheduled' | 'due']>([
    ['complete', 'completed'],
    ['retry', 'retry'],
    ['retry', 'due'],
    ['archive', 'archived'],
    ['requeue', 'pending'],
    ['snooze', 'scheduled'],
    ['return', 'due'],
  ])('leaves a task active that it cannot %s, because Redis refuses %s', async (kind, place) => {
    const messages = await tasks.running({ id: 'a' }, { id: 'b' });
    const settlements = messages.map((message, i) => settlementOf(i === 0 ? kind : 'done', message));
    await tasks.redis.set(tasks.keys[place], 'neither list nor set');
    expect(await tasks.settle(...settlements)).toEqual([expect.any(BrokerCommandError), 'settled']);
    await tasks.redis.del(tasks.keys[place]);
    expect(await tasks.placesOf('a')).toEqual(['active', 'lease']);
    expect(await tasks.settle(settlements[0] ?? settlementOf('done', tasks.message()))).toEqual(['settled']);
    expect(await tasks.placesOf('a')).toEqual(placesAfter[kind]);
  });

  it.each(kinds)('settles its neighbours when a task to %s is stored as something else', async (kind) => {
    const messages = await tasks.running({ id: 'a' }, { id: 'bad' }, { id: 'b' });
    await tasks.redis.set(taskKey(tasks.keys, 'bad'), 'not a hash');
    const outcomes = await tasks.settle(...messages.map((message) => settlementOf(kind, message)));
    expect(outcomes).toEqual(['settled', 'settled', 'settled']);
    expect(await tasks.placesOf('a')).toEqual(placesAfter[kind]);
    expect(await tasks.placesOf('b')).toEqual(placesAfter[kind]);
  });

  it('settles messages of more bytes than one call takes', async () => {
    const payload = Buffer.alloc(300_000, 1);
    const messages = await tasks.running(...Array.from({ length: 9 }, (_, i) => ({ id: `id-${i}`, payload })));
    const outcomes = await tasks.settle(...messages.map((message) => settlementOf('archive', message)));
    expect(new Set(outcomes)).toEqual(new Set(['settled']));
    expect((await tasks.stored('id-8')).payload.length).toBe(300_000);
  });

  it('does not wait for a lost server with each of its calls anew', async () => {
    const clock = new VirtualClock({ now: new Date() });
    const connection = aConnection('redis://127.0.0.1:1', { clock });
    const settle = new RedisSettle(new ScriptRunner(connection));
    const settlements = Array.from({ length: 1_200 }, (_, i) => settlementOf('done', aTaskMessage({ id: `id-${i}` })));
    const settling = settle.settle({ queue: 'default', settlements, leases: undefined, now });
    await clock.advance('5s');
    const outcomes = await settling;
    await closeConnections();
    expect(outcomes).toHaveLength(1_200);
    for (const outcome of outcomes) expect(outcome).toBeInstanceOf(BrokerUnavailableError);
  });
});
