import * as fc from 'fast-check';
import type { Disorder } from '../../lib/model/broker/maintenance.contract.js';
import { chapter } from './chapter.js';
import type { QueueUnderTest } from './queue-under-test.js';
import { anyMove, type Move, playedGroup, playedIds, QueuePlay } from './queue-play.js';

/** What is wrong with a queue: every task has to be in one place, every running one leased. */
async function disorderOf(tasks: QueueUnderTest): Promise<readonly string[]> {
  const stored = await tasks.probe.taskIds();
  const faults: string[] = [];
  for (const id of playedIds) {
    const found = (await tasks.placesOf(id)).map((place) => (place.startsWith('g:') ? 'aggregating' : place)).join();
    const state = stored.includes(id) ? await tasks.stateOf(id) : '';
    const wanted = state === 'active' ? 'active,lease' : state;
    if (found !== wanted) faults.push(`${id} says ${state}, is in [${found}]`);
  }
  const isListed = (await tasks.broker.maintenance.listGroups(tasks.queue)).includes(playedGroup);
  if (!isListed && (await tasks.idsIn(`g:${playedGroup}`)).length > 0) faults.push('the group is not listed');
  return faults;
}

/** A whole round. */
async function suspicionsIn(tasks: QueueUnderTest, play: QueuePlay): Promise<readonly Disorder[]> {
  const suspicions: Disorder[] = [];
  let cursor: string | undefined;
  do {
    const request = { queues: [tasks.queue], now: play.now, cursor, confirmed: [] };
    const step = await tasks.broker.maintenance.reconcile(request);
    suspicions.push(...step.suspicions);
    ({ cursor } = step);
  } while (cursor !== undefined);
  return suspicions;
}

export const playing = chapter('any sequence of operations', (it) => {
  it('P-117 keeps every task in exactly one place and every running one leased', async (tasks) => {
    const holds = async (moves: readonly Move[]): Promise<void> => {
      const queue = await tasks.sibling();
      const play = new QueuePlay(queue);
      for (const move of moves) {
        await play.make(move);
        expect(await disorderOf(queue)).toEqual([]);
        if (move.do === 'reconcile') expect(await suspicionsIn(queue, play)).toEqual([]);
      }
    };
    await fc.assert(fc.asyncProperty(fc.array(anyMove, { minLength: 10, maxLength: 40 }), holds), { numRuns: 30 });
  });
});
