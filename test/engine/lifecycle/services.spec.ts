import { EarliestTimer } from '../../../lib/engine/lifecycle/earliest-timer.js';
import type { BrokerReachability } from '../../../lib/engine/lifecycle/broker-monitor.js';
import { PeriodicService } from '../../../lib/engine/lifecycle/periodic-service.js';
import type { Service } from '../../../lib/engine/lifecycle/service.js';
import { ServiceGroup } from '../../../lib/engine/lifecycle/service-group.js';
import { ThrottledLogger } from '../../../lib/engine/lifecycle/throttled-logger.js';
import { addMs, type EpochMs, ms, type Ms } from '../../../lib/model/time/duration.js';
import { RecordingLogger } from '../../support/recording-logger.js';
import { aGate } from '../../support/until.js';
import { VirtualClock } from '../../support/virtual-clock.js';

/** A link that a test switches. */
class SwitchedLink implements BrokerReachability {
  #up = true;
  readonly #listeners = new Set<() => void>();

  isUp(): boolean {
    return this.#up;
  }

  upFor(): Ms {
    return ms(this.#up ? 60_000 : 0);
  }

  onUp(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  down(): void {
    this.#up = false;
  }

  up(): void {
    this.#up = true;
    for (const listener of this.#listeners) listener();
  }
}

class Ticker extends PeriodicService {
  readonly runs: number[] = [];
  work: () => Promise<Ms | undefined> = async () => await Promise.resolve(undefined);

  constructor(
    private readonly clock: VirtualClock,
    readonly link: SwitchedLink,
    readonly recorded: RecordingLogger,
    first: 'at-once' | 'after-interval' = 'after-interval',
  ) {
    const logger = new ThrottledLogger({ logger: recorded, clock });
    super({ name: 'ticker', every: ms(1_000), first, whileDown: 'rest', clock, brokerMonitor: link, logger });
  }

  override async runOnce(): Promise<Ms | undefined> {
    this.runs.push(this.clock.monotonic());
    return await this.work();
  }
}

describe('PeriodicService', () => {
  const aTicker = (first?: 'at-once' | 'after-interval'): { readonly clock: VirtualClock; readonly ticker: Ticker } => {
    const clock = new VirtualClock();
    return { clock, ticker: new Ticker(clock, new SwitchedLink(), new RecordingLogger(), first) };
  };

  it.each([
    ['at-once', [0, 1_000, 2_000]],
    ['after-interval', [1_000, 2_000]],
  ] as const)('runs %s and then at every interval', async (first, expected) => {
    const { clock, ticker } = aTicker(first);
    await ticker.start();
    await ticker.start();
    await clock.advance('2500ms');
    expect(ticker.runs).toEqual(expected);
    await ticker.stop();
    expect(clock.armedTimers).toBe(0);
    await clock.advance('5s');
    expect(ticker.runs).toEqual(expected);
  });

  it('may return when to run next', async () => {
    const { clock, ticker } = aTicker();
    ticker.work = async () => await Promise.resolve(ms(250));
    await ticker.start();
    await clock.advance('1600ms');
    expect(ticker.runs).toEqual([1_000, 1_250, 1_500]);
    await ticker.stop();
  });

  it('never runs twice at once, and runs again at once if it was woken in the meantime', async () => {
    const { clock, ticker } = aTicker();
    const gate = aGate();
    ticker.work = async () => {
      await gate.opened;
      return undefined;
    };
    await ticker.start();
    ticker.wake();
    ticker.wake();
    await clock.advance('3s');
    expect(ticker.runs).toEqual([0]);
    gate.open();
    await clock.advance(0);
    expect(ticker.runs).toEqual([0, 3_000]);
    await ticker.stop();
  });

  it('waits for a run in progress when it stops', async () => {
    const { clock, ticker } = aTicker('at-once');
    const gate = aGate();
    ticker.work = async () => {
      await gate.opened;
      return undefined;
    };
    await ticker.start();
    let stopped = false;
    const stopping = ticker.stop().then(() => (stopped = true));
    await clock.settle();
    expect(stopped).toBe(false);
    gate.open();
    await stopping;
    expect(clock.armedTimers).toBe(0);
  });

  it('rests while Redis is unreachable, and runs as soon as it is back', async () => {
    const { clock, ticker } = aTicker();
    await ticker.start();
    await clock.advance('1s');
    ticker.link.down();
    await clock.advance('10s');
    expect(ticker.runs).toEqual([1_000]);
    expect(clock.armedTimers).toBe(0);
    ticker.link.up();
    await clock.advance('1s');
    expect(ticker.runs).toEqual([1_000, 11_000, 12_000]);
    await ticker.stop();
  });

  it('goes on after a failure, and logs the same one once in 30 s', async () => {
    const { clock, ticker } = aTicker();
    ticker.work = async () => await Promise.reject(new Error('no luck'));
    await ticker.start();
    await clock.advance('40s');
    expect(ticker.runs).toHaveLength(40);
    expect(ticker.recorded.messages('error')).toEqual([
      'ticker: no luck',
      'ticker: no luck (and 28 more in the last 30 s)',
    ]);
    await ticker.stop();
  });
});

describe('EarliestTimer', () => {
  it('fires at the earliest instant, then at later ones', async () => {
    const clock = new VirtualClock();
    const heard: number[] = [];
    const left: EpochMs[] = [addMs(clock.now(), ms(400_000))];
    const begin = clock.now();
    const timer = new EarliestTimer({
      clock,
      onFire: (now) => {
        heard.push(now - begin);
        return left.pop();
      },
    });
    timer.fireBy(addMs(begin, ms(9_000)));
    timer.fireBy(addMs(begin, ms(3_000)));
    timer.fireBy(addMs(begin, ms(5_000)));
    await clock.advance('10m');
    expect(heard).toEqual([3_000, 400_000]);
    expect(clock.armedTimers).toBe(0);
  });

  it('follows a wall clock that is set forward', async () => {
    const clock = new VirtualClock();
    let heard = 0;
    const timer = new EarliestTimer({ clock, onFire: () => void (heard += 1) });
    timer.fireBy(addMs(clock.now(), ms(3_600_000)));
    clock.jump('1h');
    await clock.advance('61s');
    expect(heard).toBe(1);
    timer.fireBy(addMs(clock.now(), ms(1_000)));
    timer.cancel();
    expect(clock.armedTimers).toBe(0);
  });
});

describe('ServiceGroup', () => {
  const services = (calls: string[], failing?: string): readonly Service[] =>
    ['a', 'b', 'c'].map((name) => ({
      name,
      start: async () => {
        calls.push(`start ${name}`);
        if (failing === `start ${name}`) throw new Error('no');
        await Promise.resolve();
      },
      stop: async () => {
        calls.push(`stop ${name}`);
        if (failing === `stop ${name}`) throw new Error('no');
        await Promise.resolve();
      },
    }));

  it('starts in order and stops in reverse', async () => {
    const calls: string[] = [];
    const group = new ServiceGroup({ services: services(calls), logger: new RecordingLogger() });
    await group.start();
    await group.stop();
    await group.stop();
    expect(calls).toEqual(['start a', 'start b', 'start c', 'stop c', 'stop b', 'stop a']);
  });

  it('stops what was started when one cannot start', async () => {
    const calls: string[] = [];
    const group = new ServiceGroup({ services: services(calls, 'start b'), logger: new RecordingLogger() });
    await expect(group.start()).rejects.toThrow('no');
    expect(calls).toEqual(['start a', 'start b', 'stop b', 'stop a']);
  });

  it('stops the others when one cannot stop, in a separate stop order if there is one', async () => {
    const calls: string[] = [];
    const logger = new RecordingLogger();
    const all = services(calls, 'stop b');
    const group = new ServiceGroup({ services: all, stopOrder: all, logger });
    await group.start();
    await group.stop();
    expect(calls.slice(3)).toEqual(['stop a', 'stop b', 'stop c']);
    expect(logger.messages('error')).toEqual(['b did not stop cleanly: no']);
  });
});
