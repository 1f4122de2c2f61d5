import type { Disorder } from '../../lib/model/broker/maintenance.contract.js';
import type { StorageNotice } from '../../lib/model/broker/storage-notice.js';
import { addMs, ms } from '../../lib/model/time/duration.js';
import { groupKey } from '../../lib/redis/keys.js';
import { noon, noonSeconds, SeededQueue } from './seeded-queue.js';

const later = addMs(noon, ms(31_000));

describe('healing ids whose task is gone', () => {
  let tasks: SeededQueue;
  let notices: StorageNotice[];
  beforeEach(() => {
    tasks = SeededQueue.open();
    notices = [];
    tasks.broker.onNotice((notice) => notices.push(notice));
  });
  afterEach(async () => await tasks.close());

  const heal = async (confirmed: readonly Disorder[]) =>
    await tasks.maintenance.reconcile({ queues: [tasks.queue], now: later, cursor: undefined, confirmed });
  const fault = (subject: string, kind: Disorder['kind'] = 'id-without-task'): Disorder => ({
    queue: tasks.queue,
    kind,
    subject,
  });
  const counts = (): ReadonlyMap<string, number> =>
    new Map(notices.flatMap((notice) => (notice.kind === 'dropped' ? [[notice.from, notice.count] as const] : [])));

  it('counts them by the place they are dropped from, each once', async () => {
    const { keys, redis } = tasks;
    const places = ['scheduled', 'retry', 'archived', 'completed', 'lease'] as const;
    for (const place of places) await redis.zadd(keys[place], noonSeconds, `${place}-1`, noonSeconds, `${place}-2`);
    await redis.lpush(keys.active, 'lease-1', 'active-1');
    await redis.lpush(keys.pending, 'pending-1', 'pending-2', 'pending-3');
    await redis.sadd(keys.groups, 'g');
    await redis.zadd(groupKey(keys, 'g'), noonSeconds, 'member-1');
    // In two places at once.
    await redis.zadd(keys.retry, noonSeconds, 'scheduled-1');
    const subjects = [
      ...places.flatMap((place) => [`${place}-1`, `${place}-2`]),
      'active-1',
      'pending-1',
      'pending-2',
      'pending-3',
      'member-1',
    ];
    const confirmed = subjects.map((subject) => fault(subject));
    expect((await heal(confirmed)).healed).toEqual(confirmed);
    expect(counts()).toEqual(
      new Map<string, number>([
        ...places.map((place) => [place, 2] as const),
        ['active', 1],
        ['pending', 3],
        ['group', 1],
      ]),
    );
    notices = [];
    expect((await heal(confirmed)).healed).toEqual([]);
    expect(notices).toEqual([]);
  });

  it('counts one that was thought to be leased only, and leaves nothing of it', async () => {
    await tasks.redis.zadd(tasks.keys.lease, noonSeconds, 'gone');
    await tasks.redis.lpush(tasks.keys.active, 'gone');
    const confirmed = [fault('gone', 'lease-without-active')];
    expect((await heal(confirmed)).healed).toEqual(confirmed);
    expect(counts()).toEqual(new Map([['lease', 1]]));
    expect(await tasks.placesOf('gone')).toEqual([]);
  });

  it('counts none that is elsewhere', async () => {
    await tasks.given({ id: 'twice', places: [tasks.keys.pending, tasks.keys.retry] });
    const confirmed = [fault('twice', 'task-in-wrong-place')];
    expect((await heal(confirmed)).healed).toEqual(confirmed);
    expect(notices).toEqual([]);
  });

  it('counts those that are trimmed from the archive beyond its size', async () => {
    const { keys, redis } = tasks;
    const members = Array.from({ length: 10_050 }, (_, i) => [noonSeconds + i, `ghost-${i}`]);
    for (let start = 0; start < members.length; start += 5_000) {
      await redis.zadd(keys.archived, ...members.slice(start, start + 5_000).flat());
    }
    await tasks.maintenance.deleteExpiredCompleted({ queue: tasks.queue, now: noon, limit: 1_000 });
    expect(counts()).toEqual(new Map([['archived', 51]]));
    expect(await redis.zcard(keys.archived)).toBe(9_999);
  });
});
