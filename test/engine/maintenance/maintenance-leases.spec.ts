import { ThrottledLogger } from '../../../lib/engine/lifecycle/throttled-logger.js';
import { MaintenanceLeases } from '../../../lib/engine/maintenance/maintenance-leases.js';
import { MemoryBroker } from '../../../lib/memory/memory-broker.js';
import { MemoryStore } from '../../../lib/memory/memory-state.js';
import type { MaintenanceContract } from '../../../lib/model/broker/maintenance.contract.js';
import { BrokerCommandError } from '../../../lib/model/errors/broker-errors.js';
import { addMs, ms } from '../../../lib/model/time/duration.js';
import { RecordingLogger } from '../../support/recording-logger.js';
import { seededRandom } from '../../support/seeded-random.js';
import { VirtualClock } from '../../support/virtual-clock.js';
import { ServerUnderTest } from '../server-under-test.js';
import { signalListener } from '../../support/signal-listener.js';

/** What can be wrong with a member of a fleet. */
interface Trouble {
  isDead?: boolean;
  isDeaf?: boolean;
  refuses?: boolean;
  /** The queues whose leases the storage does not let it give up. */
  keeps?: (queue: string) => boolean;
}

/** The leases of several servers on one storage. */
class Fleet {
  readonly clock = new VirtualClock();
  readonly queues = ['one', 'two', 'three'];
  readonly members: { readonly leases: MaintenanceLeases; readonly trouble: Trouble; gained: number }[] = [];
  /** How often a member has asked for a lease. */
  asked = 0;
  readonly #broker = new MemoryBroker({ store: new MemoryStore(), clock: this.clock });
  readonly #random = seededRandom();
  readonly #logger = new ThrottledLogger({ logger: new RecordingLogger(), clock: this.clock });

  async start(count: number, trouble: Trouble = {}): Promise<void> {
    for (let at = 0; at < count; at += 1) await this.#startOne({ ...trouble });
    await this.clock.settle();
  }

  /** Which members maintain a queue. */
  holders(queue = 'one'): readonly number[] {
    return [...this.members.keys()].filter((at) => this.members[at]?.leases.maintains(queue));
  }

  async stop(): Promise<void> {
    for (const { leases } of this.members) await leases.stop();
    await this.#broker.close();
  }

  async #startOne(trouble: Trouble): Promise<void> {
    const { maintenance, presence } = this.#broker;
    const leaseMaintenance: MaintenanceContract['leaseMaintenance'] = async (request) => {
      this.asked += 1;
      if (trouble.refuses === true) throw new BrokerCommandError('NOPERM');
      return await maintenance.leaseMaintenance(request);
    };
    const member = {
      trouble,
      gained: 0,
      leases: new MaintenanceLeases({
        maintenance: {
          leaseMaintenance,
          releaseMaintenance: async (request) => {
            if (trouble.keeps?.(request.queue) === true) throw new BrokerCommandError('NOPERM');
            await maintenance.releaseMaintenance(request);
          },
        },
        presence,
        queues: this.queues,
        owner: `host:${this.members.length}:server`,
        clock: this.clock,
        random: this.#random,
        brokerMonitor: { isUp: () => trouble.isDead !== true, upFor: () => ms(0), onUp: () => () => {} },
        logger: this.#logger,
        onGained: () => void (member.gained += 1),
      }),
    };
    this.members.push(member);
    const listener = signalListener({
      onMaintenance: (news) => {
        if (trouble.isDeaf !== true && trouble.isDead !== true) member.leases.hear(news);
      },
    });
    await presence.subscribe(listener);
    await member.leases.start();
  }
}

describe('maintenance leases', () => {
  let fleet: Fleet;

  beforeEach(() => {
    fleet = new Fleet();
  });

  afterEach(async () => await fleet.stop());

  it('are all held by the first server as long as it lives', async () => {
    await fleet.start(10);
    for (let minute = 0; minute < 10; minute += 1) {
      expect(fleet.queues.map((queue) => fleet.holders(queue))).toEqual([[0], [0], [0]]);
      await fleet.clock.advance('1m');
    }
    expect(fleet.members.map(({ gained }) => gained)).toEqual([1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  });

  it('are not requested by other servers while the holder announces them', async () => {
    await fleet.start(1);
    await fleet.clock.advance('5m');
    const byOne = fleet.asked;
    await fleet.start(9);
    fleet.asked = 0;
    await fleet.clock.advance('5m');
    expect(fleet.asked).toBeGreaterThan(30);
    expect(fleet.asked).toBeLessThanOrEqual(byOne);
  });

  it('go to one other server as soon as they end, when the holder dies', async () => {
    await fleet.start(5);
    await fleet.clock.advance('1m');
    const [dead] = fleet.members;
    if (dead !== undefined) dead.trouble.isDead = true;
    await fleet.clock.advance('10s');
    expect(fleet.holders()).toEqual([0]);
    await fleet.clock.advance('11s');
    const successors = fleet.queues.map((queue) => fleet.holders(queue).filter((at) => at !== 0));
    expect(successors[0]).toHaveLength(1);
    expect(successors).toEqual([successors[0], successors[0], successors[0]]);
    // Back from the dead it learns who holds them now.
    if (dead !== undefined) dead.trouble.isDead = false;
    dead?.leases.wake();
    await fleet.clock.advance('30s');
    expect(fleet.holders()).toEqual(successors[0]);
  });

  it('go to one other server within a second when the holder stops', async () => {
    await fleet.start(5);
    await fleet.clock.advance('1m');
    await fleet.members[0]?.leases.stop();
    expect(fleet.holders()).toEqual([]);
    await fleet.clock.advance('1s');
    expect(fleet.holders()).toHaveLength(1);
  });

  it('go on with one other server where the holder may not give them up', async () => {
    await fleet.start(2);
    const [holder] = fleet.members;
    if (holder !== undefined) holder.trouble.keeps = (queue) => queue === 'one';
    await holder?.leases.stop();
    expect(fleet.holders()).toEqual([]);
    await fleet.clock.advance('1s');
    expect(fleet.queues.map((queue) => fleet.holders(queue))).toEqual([[], [1], [1]]);
    await fleet.clock.advance('21s');
    expect(fleet.holders()).toEqual([1]);
  });

  it('stay with their holder when the others receive no announcements and ask at the end of each lease', async () => {
    await fleet.start(1);
    await fleet.start(4, { isDeaf: true });
    fleet.asked = 0;
    await fleet.clock.advance('10m');
    expect(fleet.holders()).toEqual([0]);
    expect(fleet.asked).toBeGreaterThan(300);
    expect(fleet.asked).toBeLessThan(1_200);
  });

  it('are no longer than usual, whatever another program announces', async () => {
    await fleet.start(3);
    if (fleet.members[0] !== undefined) fleet.members[0].trouble.isDead = true;
    for (const { leases } of fleet.members) {
      leases.hear({ owner: 'host:9:other', queues: fleet.queues, heldFor: ms(3_600_000) });
    }
    await fleet.clock.advance('1m');
    expect(fleet.holders().filter((at) => at !== 0)).toHaveLength(1);
  });

  it('are held by every server where they cannot be stored', async () => {
    await fleet.start(3, { refuses: true });
    expect(fleet.holders()).toEqual([0, 1, 2]);
  });

  it('are not claimed from the others by one that is not let', async () => {
    await fleet.start(1, { refuses: true });
    await fleet.start(2);
    expect(fleet.holders()).toEqual([0, 1]);
    const [, dead] = fleet.members;
    if (dead !== undefined) dead.trouble.isDead = true;
    await fleet.clock.advance('21s');
    expect(fleet.holders()).toEqual([0, 1, 2]);
  });
});

describe('a server beside one that maintains its queue and has died', () => {
  let test: ServerUnderTest;

  beforeEach(async () => {
    test = ServerUnderTest.open({ time: 'virtual' });
    const end = test.clock.now() + 20_000;
    await test.redis.set(test.keys.maintenance, `${end} host-a:1:dead`, 'PX', 20_000);
  });

  afterEach(async () => await test.close());

  it('moves the first task that becomes due a few seconds late, and the others in time', async () => {
    const late: number[] = [];
    const dueAt = [1_500, 8_000, 8_020, 15_000].map((after) => addMs(test.clock.now(), ms(after)));
    for (const processAt of dueAt) await test.enqueue({}, { kind: 'scheduled', processAt });
    await test.start(() => void late.push(test.clock.now() - (dueAt[late.length] ?? 0)));
    await test.time.advance('16s');
    expect(late).toHaveLength(4);
    const [first, ...others] = late;
    expect(first).toBeGreaterThanOrEqual(2_000);
    expect(first).toBeLessThanOrEqual(4_000);
    expect(others).toEqual([0, 0, 0]);
  });

  it('then finds what other programs schedule without a signal, within the interval', async () => {
    const ran: string[] = [];
    const processAt = addMs(test.clock.now(), ms(1_000));
    await test.enqueue({ id: 'announced' }, { kind: 'scheduled', processAt });
    await test.start(({ id }) => void ran.push(id));
    await test.time.advance('5s');
    expect(ran).toEqual(['announced']);
    const dueSeconds = Math.floor(test.clock.now() / 1_000) + 1;
    const id = await test.enqueue({ id: 'silent' });
    await test.redis.lrem(test.keys.pending, 0, id);
    await test.redis.zadd(test.keys.scheduled, dueSeconds, id);
    await test.redis.hset(test.keys.taskPrefix + id, 'state', 'scheduled');
    await test.time.advance('6s');
    expect(ran).toEqual(['announced', 'silent']);
  });

  it('moves tasks that it put off itself at their instants, however many', async () => {
    const delays: Readonly<Record<string, number>> = { a: 1_000, b: 1_040, c: 1_400, d: 4_900 };
    const late: number[] = [];
    const dueAt = new Map<string, number>();
    for (const id of Object.keys(delays)) await test.enqueue({ id });
    await test.start(
      (task) => {
        if (task.retried > 0) return void late.push(test.clock.now() - (dueAt.get(task.id) ?? 0));
        dueAt.set(task.id, test.clock.now() + (delays[task.id] ?? 0));
        throw new Error('again');
      },
      { retryDelay: (_retried, _error, task) => delays[task.id] ?? 0 },
    );
    await test.untilHappened('retry', 4);
    await test.time.advance('10s');
    expect(late).toEqual([0, 0, 0, 0]);
  });

  it('recovers its tasks when their leases end, which is later than the maintenance lease', async () => {
    const id = await test.enqueue();
    const now = test.clock.now();
    const leaseUntil = addMs(now, ms(25_000));
    await test.broker.work.dequeue({ queue: test.queue, limit: 1, now, leaseUntil, owner: 'host-a:1:dead' });
    await test.start(() => {});
    await test.time.advance('24s');
    expect(await test.stateOf(id)).toBe('active');
    await test.time.advance('3s');
    await test.untilHappened('recovered');
    expect(test.happened('recovered')).toMatchObject([{ task: { id }, outcome: 'retry' }]);
  });

  it('heals inconsistencies', async () => {
    const id = await test.enqueue();
    await test.redis.lrem(test.keys.pending, 0, id);
    await test.start(() => {});
    await test.time.advance('5m');
    await test.untilHappened('completed');
    expect(test.happened('healed')).toMatchObject([{ kind: 'task-without-place', subject: id }]);
  });
});
