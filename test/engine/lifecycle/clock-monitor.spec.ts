import { type ClockState, ClockMonitor } from '../../../lib/engine/lifecycle/clock-monitor.js';
import { BrokerCommandError, BrokerUnavailableError } from '../../../lib/model/errors/broker-errors.js';
import type { EpochMs } from '../../../lib/model/time/duration.js';
import { RecordingLogger } from '../../support/recording-logger.js';
import { SkewedClock } from '../../support/skewed-clock.js';
import { aGate } from '../../support/until.js';
import { VirtualClock } from '../../support/virtual-clock.js';

describe('the clock monitor', () => {
  let storage: VirtualClock;
  let clock: SkewedClock;
  let logger: RecordingLogger;
  let time: () => Promise<EpochMs>;
  let heard: unknown[];
  let watch: ClockMonitor;

  beforeEach(() => {
    storage = new VirtualClock();
    clock = new SkewedClock(storage);
    logger = new RecordingLogger();
    time = async () => await Promise.resolve(storage.now());
    heard = [];
    watch = new ClockMonitor({
      broker: { time: async () => await time() },
      clock,
      logger,
      whileFarOff: '. It rests',
      onOff: (offset, state) => heard.push([state, offset]),
      onRight: (offset) => heard.push(['right', offset]),
    });
  });

  async function stateAt(offset: number): Promise<ClockState> {
    clock.offset = offset;
    await watch.look();
    return watch.state;
  }

  it('treats up to 10 s as right, up to a lease as off, and more as far off, in both directions', async () => {
    for (const [offset, state] of [
      [0, 'right'],
      [10_000, 'right'],
      [10_001, 'off'],
      [30_000, 'off'],
      [30_001, 'far-off'],
      [30_000, 'off'],
      [-30_001, 'far-off'],
      [-10_001, 'off'],
      [-10_000, 'right'],
    ] as const) {
      expect([offset, await stateAt(offset)]).toEqual([offset, state]);
    }
  });

  it('says once that the clock is off, again when it moves, and once that it is right', async () => {
    for (const offset of [500, 12_300, 12_300, 14_000, 45_000, 45_000, 3_600_000, -20_000, 20, 20])
      await stateAt(offset);
    const about = 'that of Redis: leases and due times are compared between machines, so set the one that is wrong';
    const lines = [
      `The clock of this machine is 12.3 s ahead of ${about}`,
      `The clock of this machine is 45.0 s ahead of ${about}. It rests`,
      `The clock of this machine is 3600.0 s ahead of ${about}. It rests`,
      `The clock of this machine is 20.0 s behind ${about}`,
    ];
    expect(logger.messages('warn')).toEqual(lines);
    expect(logger.messages('info')).toEqual(['The clocks of this machine and of Redis agree again']);
    expect(heard).toEqual([
      ['off', 12_300],
      ['far-off', 45_000],
      ['far-off', 3_600_000],
      ['off', -20_000],
      ['right', 20],
    ]);
  });

  it('allows for half of the round trip, and keeps the state when that does not decide', async () => {
    const slowly = async (offset: number): Promise<ClockState> => {
      clock.offset = offset;
      const answer = aGate<EpochMs>();
      time = async () => await answer.opened;
      const looking = watch.look();
      await storage.advance('8s');
      const told = storage.now();
      await storage.advance('12s');
      answer.open(told);
      await looking;
      return watch.state;
    };
    // 20 s for an answer: 2 s off by the middle of it, and 10 s more or less.
    expect(await slowly(0)).toBe('right');
    expect(await slowly(25_000)).toBe('off');
    expect(await slowly(-15_000)).toBe('off');
    expect(await slowly(45_000)).toBe('far-off');
    expect(await slowly(25_000)).toBe('far-off');
    expect(await slowly(12_000)).toBe('off');
  });

  it('shares one reply among concurrent callers', async () => {
    let asked = 0;
    time = async () => {
      asked += 1;
      return await Promise.resolve(storage.now());
    };
    await Promise.all([watch.look(), watch.look()]);
    await watch.look();
    expect(asked).toBe(2);
  });

  it('notices at once that the clock was set, without a reply', async () => {
    expect(watch.hasStepped).toBe(false);
    await stateAt(300);
    await storage.advance('1h');
    expect(watch.hasStepped).toBe(false);
    clock.offset = -2_000;
    expect(watch.hasStepped).toBe(true);
    await watch.look();
    expect(watch.hasStepped).toBe(false);
  });

  it('returns the later of the two times while this clock is behind', async () => {
    clock.offset = -60_000;
    expect(watch.latest()).toBe(clock.now());
    await watch.look();
    await storage.advance('3s');
    expect(watch.latest()).toBe(storage.now());
    for (const offset of [60_000, -9_000]) {
      clock.offset = offset;
      expect(watch.latest()).toBe(clock.now());
    }
  });

  it('keeps the state while Redis is away, and trusts the clock when it may not ask for the time', async () => {
    time = async () => await Promise.reject(new BrokerUnavailableError('away'));
    expect(await stateAt(60_000)).toBe('unknown');
    time = async () => await Promise.resolve(storage.now());
    expect(await stateAt(60_000)).toBe('far-off');
    expect(watch.fault).toMatchObject({ code: 'ASYNQ_CLOCK_OFF', offset: 60_000 });
    time = async () => await Promise.reject(new BrokerUnavailableError('away'));
    expect(await stateAt(60_000)).toBe('far-off');
    time = async () => await Promise.reject(new BrokerCommandError('NOPERM'));
    expect(await stateAt(90_000)).toBe('right');
    expect(await stateAt(60_000)).toBe('right');
    expect(watch.hasStepped).toBe(false);
    expect(watch.fault).toBeUndefined();
    expect(logger.messages('info')).toEqual(['The clock of this machine is not compared with that of Redis: NOPERM']);
  });

  it('does not compare a virtual clock', async () => {
    time = async () => await Promise.reject(new Error('it was asked'));
    const virtual = new ClockMonitor({ broker: { time }, clock: storage, logger });
    await virtual.look();
    expect(virtual.state).toBe('right');
    expect(logger.messages('info')).toEqual([]);
  });
});
