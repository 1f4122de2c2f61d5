import type { Broker } from '../../lib/model/broker/broker.js';
import { epochMs, ms } from '../../lib/model/time/duration.js';
import { chapter } from './chapter.js';
import { collect } from './given-group.js';
import type { QueueUnderTest } from './queue-under-test.js';
import { after, grouped, later, nowSeconds, sharp, type Wanted } from './task-words.js';

// More than one step takes of each kind.
const memberIds = Array.from({ length: 2_100 }, (_, i) => `m${String(i).padStart(4, '0')}`);
const set = (tasks: QueueUnderTest, setId: string) => ({ queue: tasks.queue, group: 'g', setId });
const lockOf = (tasks: QueueUnderTest, id: string): string => tasks.lockName(id);

const givenMembers = async (tasks: QueueUnderTest, fields: (id: string) => Wanted = () => ({})): Promise<void> => {
  const members = memberIds.map((id) => grouped(id, 'g', fields(id)));
  await tasks.enqueueAt(epochMs(sharp - 90_000), ...members);
};

/** What others do about sets whose time is over. */
const reclaim = async (tasks: QueueUnderTest): Promise<void> => {
  await tasks.broker.maintenance.reclaimAggregationSets({ queue: tasks.queue, now: after(121_000) });
};

const allWaitAgain = async (tasks: QueueUnderTest): Promise<void> => {
  expect(await tasks.idsIn('g:g')).toEqual(memberIds);
  for (const id of ['m0000', 'm1100', 'm2099']) expect(await tasks.probe.secondOf('g:g', id)).toBe(nowSeconds - 90);
  expect(await tasks.broker.maintenance.listGroups(tasks.queue)).toEqual(['g']);
  expect(await tasks.probe.aggregationSets()).toEqual(new Map());
};

export const dyingHalfway = chapter('a process that dies at any step', (it) => {
  it('P-99 D-S19 Q-03 finishes a set of thousands completely or not at all, and loses no lock', async (tasks) => {
    const unique = (id: string): Wanted => ({ uniqueKey: lockOf(tasks, id), uniqueForSeconds: 600 });
    const locks = memberIds.map((id) => lockOf(tasks, id));
    const combined = tasks.request({ id: 'combined', type: 'digest' });
    const prepare = async (): Promise<string> => {
      await givenMembers(tasks, unique);
      return await collect(tasks);
    };
    const finish = async (broker: Broker, setId: string): Promise<unknown> =>
      await broker.maintenance.finishAggregation({ ...set(tasks, setId), combined, locks, now: sharp });
    const judge = async (): Promise<void> => {
      await reclaim(tasks);
      // Whoever holds a lock does so after all is done, too.
      const equal = ['m0000', 'm0700', 'm2099'].map((id) => ({ ...unique(id), id: `again-${id}` }));
      expect(await tasks.enqueue(...equal)).toEqual(['duplicate', 'duplicate', 'duplicate']);
      if ((await tasks.stateOf('combined')) === undefined) return await allWaitAgain(tasks);
      expect(await tasks.probe.taskIds()).toEqual(['combined']);
      expect(await tasks.placesOf('combined')).toEqual(['pending']);
      expect(await tasks.probe.aggregationSets()).toEqual(new Map());
    };
    await tasks.dyingEverywhere(prepare, { act: finish, judge });
    expect(await tasks.probe.taskIds()).toEqual(['combined']);
  });

  it('P-94 collects part of a group, whose members all wait again', async (tasks) => {
    const limits = { maxSize: 2_050, maxDelay: ms(0), gracePeriod: ms(60_000) };
    const request = { queue: tasks.queue, group: 'g', now: sharp, ...limits };
    await tasks.dyingEverywhere(async () => await givenMembers(tasks), {
      act: async (broker) => await broker.maintenance.collectGroup(request),
      judge: async () => {
        await reclaim(tasks);
        await allWaitAgain(tasks);
      },
    });
  });

  it('P-100 returns a set of thousands to its group, whose members all wait again', async (tasks) => {
    const prepare = async (): Promise<string> => {
      await givenMembers(tasks);
      return await collect(tasks);
    };
    await tasks.dyingEverywhere(prepare, {
      act: async (broker, setId) => await broker.maintenance.returnAggregationSet(set(tasks, setId)),
      judge: async () => {
        await reclaim(tasks);
        await allWaitAgain(tasks);
      },
    });
  });

  it('P-99 P-100 neither reads nor finishes a set of which a part has returned', async (tasks) => {
    const combined = tasks.request({ id: 'combined', type: 'digest' });
    const prepare = async (): Promise<string> => {
      await givenMembers(tasks);
      return await collect(tasks);
    };
    let setId = '';
    await tasks.dyingEverywhere(prepare, {
      act: async (broker, given) => {
        setId = given;
        await broker.maintenance.reclaimAggregationSets({ queue: tasks.queue, now: after(121_000) });
      },
      judge: async () => {
        const { maintenance } = tasks.broker;
        const isWhole = (await tasks.idsIn('g:g')).length === 0;
        const read = await maintenance.readAggregationSet({ ...set(tasks, setId), now: sharp });
        expect(read?.messages.length).toBe(isWhole ? memberIds.length : undefined);
        if (isWhole) return;
        const finished = await maintenance.finishAggregation({ ...set(tasks, setId), combined, locks: [], now: sharp });
        expect(finished).toBe('gone');
        await reclaim(tasks);
        await allWaitAgain(tasks);
      },
    });
  });

  it('P-99 deletes a set of thousands, after which each member is gone or waits again', async (tasks) => {
    const prepare = async (): Promise<string> => {
      await givenMembers(tasks);
      return await collect(tasks);
    };
    await tasks.dyingEverywhere(prepare, {
      act: async (broker, setId) => await broker.maintenance.deleteAggregationSet(set(tasks, setId)),
      judge: async () => {
        await reclaim(tasks);
        expect(await tasks.probe.taskIds()).toEqual(await tasks.idsIn('g:g'));
        expect(await tasks.probe.aggregationSets()).toEqual(new Map());
      },
    });
    expect(await tasks.probe.taskIds()).toEqual([]);
  });

  it('P-46 forwards thousands of tasks, each of which is in one place', async (tasks) => {
    const forwardAll = async (broker: Broker): Promise<void> => {
      const request = { queue: tasks.queue, now: sharp, limit: 1_000 };
      while ((await broker.maintenance.forwardDue(request)).more);
    };
    const due = memberIds.map((id, i) => later(id, epochMs(sharp - 10_000 + (i % 3))));
    const prepare = async (): Promise<void> => void (await tasks.enqueueAt(epochMs(sharp - 60_000), ...due));
    await tasks.dyingEverywhere(prepare, {
      act: forwardAll,
      judge: async () => {
        const [pending, scheduled] = [await tasks.idsIn('pending'), await tasks.idsIn('scheduled')];
        expect([...pending, ...scheduled].toSorted()).toEqual(memberIds);
        for (const [id, state] of [
          [pending[0], 'pending'],
          [scheduled[0], 'scheduled'],
        ] as const) {
          if (id !== undefined) expect(await tasks.stateOf(id)).toBe(state);
        }
      },
    });
    expect(await tasks.idsIn('pending')).toHaveLength(memberIds.length);
  });

  it('P-75 deletes thousands of completed tasks, each completely or not at all', async (tasks) => {
    const prepare = async (): Promise<void> => {
      for (let start = 0; start < memberIds.length; start += 1_000) {
        const running = await tasks.running(...memberIds.slice(start, start + 1_000).map((id) => ({ id })));
        const expiresAt = epochMs(sharp - 5_000);
        await tasks.settle(
          ...running.map((message) => ({ kind: 'complete', message, expiresAt, result: undefined }) as const),
        );
      }
    };
    await tasks.dyingEverywhere(prepare, {
      act: async ({ maintenance }) => {
        const request = { queue: tasks.queue, now: sharp, limit: 1_000 };
        while ((await maintenance.deleteExpiredCompleted(request)) > 0);
      },
      judge: async () => expect(await tasks.idsIn('completed')).toEqual(await tasks.probe.taskIds()),
    });
    expect(await tasks.probe.taskIds()).toEqual([]);
  });
});
