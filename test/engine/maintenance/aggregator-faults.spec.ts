import type { AsynqServer } from '../../../lib/engine/server/asynq-server.js';
import type { Broker } from '../../../lib/model/broker/broker.js';
import type { MaintenanceContract } from '../../../lib/model/broker/maintenance.contract.js';
import { BrokerUnavailableError } from '../../../lib/model/errors/broker-errors.js';
import { DeadlineExceededError, InvalidTaskError, TaskAbortedError } from '../../../lib/model/errors/task-errors.js';
import { GroupsUnderTest, heldUp } from './groups-under-test.js';

describe('an aggregation that goes wrong', () => {
  let groups: GroupsUnderTest;
  beforeEach(() => {
    groups = GroupsUnderTest.open();
  });
  afterEach(async () => await groups.close());

  const sets = async () => await groups.test.redis.zcard(groups.test.keys.aggregationSets);

  it.each([
    ['returns nothing', () => undefined, /must return a task.*got undefined/],
    ['returns a task without a type', () => ({ type: '', payload: 1 }), /task type must be text/],
    ['returns what cannot be encoded', () => ['digest', 1n], /cannot be enqueued/],
    ['returns what JSON would lose', () => ['digest', { at: new Map() }], /a Map at payload\.at/],
    ['names an option that does not exist', () => ['digest', 1, { ttl: '1h' }], /ttl is not an option/],
    ['misspells a field', () => ({ type: 'digest', data: 1 }), /data is not an option/],
    ['returns options that are none', () => ['digest', 1, 5], /options must be an object/],
    ['throws', () => { throw new Error('no luck'); }, /no luck/], // prettier-ignore
    ['throws what is no error', () => { throw undefined; }, /not aggregated/], // prettier-ignore
    ['rejects', async () => await Promise.reject(new Error('later')), /later/],
  ])('S-121 D-S10 keeps the members for later when the function %s', async (_, combine, text) => {
    const ids = await groups.joinMany('g', 2);
    let calls = 0;
    await groups.start({}, () => ((calls += 1) === 1 ? combine() : ['digest', 1]));
    await groups.advance('61s');
    expect(groups.failures).toHaveLength(1);
    expect(groups.failures[0]).toMatchObject({ queue: groups.test.queue, group: 'g' });
    expect(groups.test.logger.messages('error').join()).toMatch(text);
    expect(await sets()).toBe(1);
    expect(await groups.pending()).toEqual([]);
    // S-92: the group is listed again, so it is aggregated without a new member.
    await groups.advance('4m');
    expect(groups.sizes).toEqual([2]);
    expect(groups.seen[1]?.tasks.map(({ id }) => id)).toEqual(ids);
  });

  it('distinguishes a duplicate and a taken id from other errors, and writes nothing', async () => {
    await groups.test.enqueue({ id: 'taken', type: 'other' });
    await groups.join('g');
    await groups.start({}, () => ['digest', 1, { taskId: 'taken' }]);
    await groups.advance('61s');
    expect(groups.failures.map(({ error }) => (error as { code: string }).code)).toEqual(['ASYNQ_TASK_ID_CONFLICT']);
    expect((await groups.pending()).map(({ type }) => type)).toEqual(['other']);
    expect(await sets()).toBe(1);
  });

  it('stops waiting for a function after two minutes, and ignores its result afterwards', async () => {
    const { combine, letGo } = heldUp();
    await groups.join('g');
    await groups.start({}, (group) => (groups.seen.length === 1 ? combine() : ['second', group.name]));
    await groups.advance('61s');
    const signal = groups.seen[0]?.signal;
    expect(signal?.aborted).toBe(false);
    await groups.advance('121s');
    expect(signal?.reason).toBeInstanceOf(DeadlineExceededError);
    expect(groups.failures[0]?.error).toBeInstanceOf(DeadlineExceededError);
    letGo();
    await groups.advance('4m');
    expect((await groups.pending()).map(({ type }) => type)).toEqual(['second']);
  });

  it('S-120 aggregates at most three groups at once; the next is collected when there is room', async () => {
    const { combine, letGo } = heldUp();
    for (const name of ['a', 'b', 'c', 'd']) await groups.join(name);
    await groups.start({}, combine);
    await groups.advance('90s');
    expect(groups.seen).toHaveLength(3);
    expect(await sets()).toBe(3);
    letGo();
    await groups.test.untilHappened('aggregated', 4);
  });

  it('aggregates as many at once as configured', async () => {
    const { combine, letGo } = heldUp();
    for (const name of ['a', 'b', 'c', 'd', 'e']) await groups.join(name);
    await groups.start({ groupConcurrency: 5 }, combine);
    await groups.advance('61s');
    expect(groups.seen).toHaveLength(5);
    letGo();
    await groups.test.untilHappened('aggregated', 5);
  });

  it('archives a member that does not decode, and aggregates the others', async () => {
    const bad = await groups.join('g');
    await groups.test.redis.hset(`${groups.test.keys.taskPrefix}${bad}`, 'msg', Buffer.from([0x0a, 0xff]));
    await groups.join('g');
    await groups.start();
    await groups.advance('61s');
    expect(groups.sizes).toEqual([1]);
    expect(await groups.test.stateOf(bad)).toBe('archived');
    expect(groups.test.happened('undecodable')).toMatchObject([{ task: { id: bad } }]);
  });

  it('deletes a set whose tasks are all gone, without calling the function', async () => {
    const id = await groups.join('g');
    await groups.test.redis.del(`${groups.test.keys.taskPrefix}${id}`);
    await groups.start();
    await groups.advance('61s');
    expect(groups.seen).toEqual([]);
    expect(await sets()).toBe(0);
    expect(groups.failures).toEqual([]);
  });

  describe('with a broker whose replies are lost', () => {
    /** The broker of the test, `finishAggregation` aside. */
    const withFinish = (finish: MaintenanceContract['finishAggregation']): Broker => {
      const { maintenance } = groups.test.broker;
      // Bound, since the methods use private parts of the object they were written for.
      const changed: MaintenanceContract = {
        ...boundMethods(maintenance),
        finishAggregation: finish,
      };
      return Object.create(groups.test.broker, { maintenance: { value: changed } }) as Broker;
    };
    const start = async (fails: 'before' | 'after'): Promise<AsynqServer> => {
      let calls = 0;
      const broker = withFinish(async (request) => {
        calls += 1;
        if (calls === 1 && fails === 'before') throw new BrokerUnavailableError('lost');
        const outcome = await groups.test.broker.maintenance.finishAggregation(request);
        if (calls === 1) throw new BrokerUnavailableError('lost');
        return outcome;
      });
      return await groups.start({ broker });
    };

    it.each(['before', 'after'] as const)(
      'stores one task when the call is lost %s it was carried out',
      async (when) => {
        await groups.joinMany('g', 2);
        await start(when);
        await groups.advance('65s');
        expect(await groups.pending()).toHaveLength(1);
        expect(await sets()).toBe(0);
        await groups.advance('4m');
        expect(await groups.pending()).toHaveLength(1);
        expect(groups.seen).toHaveLength(1);
      },
    );
  });

  describe('at a shutdown', () => {
    it('is waited for', async () => {
      const { combine, letGo } = heldUp();
      await groups.join('g');
      const server = await groups.start({}, combine);
      await groups.advance('61s');
      const closed = server.shutdown();
      await groups.advance('7s');
      letGo();
      await closed;
      expect(groups.sizes).toEqual([1]);
      expect(await groups.pending()).toHaveLength(1);
    });

    it('returns to its group at once when it takes longer than the shutdown timeout', async () => {
      const { combine, letGo } = heldUp();
      const ids = await groups.joinMany('g', 2);
      const server = await groups.start({ shutdownTimeout: '3s' }, combine);
      await groups.advance('61s');
      const closed = server.shutdown();
      await groups.advance('3s');
      await closed;
      expect(groups.seen[0]?.signal.reason).toBeInstanceOf(TaskAbortedError);
      expect(await groups.waiting('g')).toEqual(ids);
      expect(await sets()).toBe(0);
      letGo();
      await groups.test.time.settle();
      expect(await groups.pending()).toEqual([]);
    });

    it('leaves no timer', async () => {
      await groups.joinMany('g', 2);
      const server = await groups.start();
      await groups.advance('30s');
      await server.shutdown();
      expect(groups.test.time.armedTimers).toBe(0);
    });
  });

  it('names the error of the function with its code', async () => {
    await groups.join('g');
    await groups.start({}, () => null);
    await groups.advance('61s');
    expect(groups.failures[0]?.error).toBeInstanceOf(InvalidTaskError);
  });
});

function boundMethods<T extends object>(object: T): T {
  const names = Object.getOwnPropertyNames(Object.getPrototypeOf(object)) as (keyof T)[];
  const methods = names.map((name) => [name, object[name]] as const).filter(([, value]) => typeof value === 'function');
  return Object.fromEntries(methods.map(([name, value]) => [name, (value as () => unknown).bind(object)])) as T;
}
