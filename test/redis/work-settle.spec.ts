import { StorageNotices } from '../../lib/model/broker/storage-notice.js';
import type { Settlement } from '../../lib/model/broker/work.contract.js';
import { BrokerCommandError, BrokerUnavailableError } from '../../lib/model/errors/broker-errors.js';
import type { TaskMessage } from '../../lib/model/task/task-message.js';
import { addMs, ms } from '../../lib/model/time/duration.js';
import { taskKey } from '../../lib/redis/keys.js';
import { RedisSettle } from '../../lib/redis/redis-settle.js';
import { ScriptRunner } from '../../lib/redis/script-runner.js';
import { aTaskMessage } from '../support/a-task-message.js';
import { aConnection, closeConnections } from '../support/connections.js';
import { VirtualClock } from '../support/virtual-clock.js';
import { now, owner, runTaken } from '../conformance/task-words.js';
import { QueueUnderTest } from './queue-under-test.js';

type Kind = Settlement['kind'];

const kinds: readonly Kind[] = ['done', 'complete', 'retry', 'archive', 'delete', 'requeue', 'snooze'];

/** Where a task of each kind ends up. */
const placesAfter: Readonly<Record<Kind, readonly string[]>> = {
  done: [],
  complete: ['completed'],
  retry: ['retry', 'due'],
  archive: ['archived'],
  delete: [],
  requeue: ['pending'],
  snooze: ['scheduled', 'due'],
};

function settlementOf(kind: Kind, message: TaskMessage): Settlement {
  switch (kind) {
    case 'complete':
      return { kind, message, expiresAt: addMs(now, ms(60_000)), result: undefined };
    case 'retry':
      return { kind, message, retryAt: addMs(now, ms(5_000)), counts: 'as-failure' };
    case 'snooze':
      return { kind, message, until: addMs(now, ms(5_000)) };
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

  it('settles the oldest tasks, as most calls do, and leaves a duplicate id alone', async () => {
    const messages = await tasks.running({ id: 'a' }, { id: 'b' }, { id: 'c' });
    await tasks.redis.rpush(tasks.keys.active, 'a');
    const outcomes = await tasks.settle(...messages.slice(0, 2).map((message) => settlementOf('done', message)));
    expect(outcomes).toEqual(['settled', 'settled']);
    expect(await activeIds()).toEqual(['c', 'a']);
  });

  it.each<[Kind, 'completed' | 'retry' | 'archived' | 'pending' | 'scheduled']>([
    ['complete', 'completed'],
    ['retry', 'retry'],
    ['archive', 'archived'],
    ['requeue', 'pending'],
    ['snooze', 'scheduled'],
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

  it.each(kinds)('settles the others when the key of a task to %s has a wrong type', async (kind) => {
    const messages = await tasks.running({ id: 'a' }, { id: 'bad' }, { id: 'b' });
    await tasks.redis.set(taskKey(tasks.keys, 'bad'), 'not a hash');
    const outcomes = await tasks.settle(...messages.map((message) => settlementOf(kind, message)));
    expect(outcomes).toEqual(['settled', 'settled', 'settled']);
    expect(await tasks.placesOf('a')).toEqual(placesAfter[kind]);
    expect(await tasks.placesOf('b')).toEqual(placesAfter[kind]);
  });

  it('does not wait for a lost server in each of its calls', async () => {
    const clock = new VirtualClock({ now: new Date() });
    const connection = aConnection('redis://127.0.0.1:1', { clock });
    const settle = new RedisSettle(new ScriptRunner(connection, new StorageNotices()));
    const settlements = Array.from({ length: 1_200 }, (_, i) => settlementOf('done', aTaskMessage({ id: `id-${i}` })));
    const claims = { kind: 'held', owner, runs: settlements.map(() => runTaken()) } as const;
    const settling = settle.settle({ queue: 'default', settlements, claims, now });
    await clock.advance('5s');
    const outcomes = await settling;
    await closeConnections();
    expect(outcomes).toHaveLength(1_200);
    for (const outcome of outcomes) expect(outcome).toBeInstanceOf(BrokerUnavailableError);
  });
});
