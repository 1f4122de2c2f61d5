import { getEventListeners } from 'node:events';
import { ms } from '../../lib/model/time/duration.js';
import { pause, startLimit, waitFor, waitForCall, type WaitLimits } from '../../lib/model/time/wait.js';
import { StandstillClock } from '../support/standstill-clock.js';
import { eventLoopTurns, VirtualClock } from '../support/virtual-clock.js';

const never = new Promise<never>(() => {});

/** Everything that a wait may leave behind, and the ways to end it early. */
function aWait() {
  const clock = new VirtualClock();
  const [one, other] = [new AbortController(), new AbortController()];
  const limits: WaitLimits = { clock, limit: ms(5_000), signal: [one.signal, other.signal] };
  const expectNothingLeft = (): void => {
    expect(clock.armedTimers).toBe(0);
    for (const { signal } of [one, other]) expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  };
  return { clock, one, other, limits, expectNothingLeft };
}

describe('a wait for a promise', () => {
  it('resolves with its value, and leaves nothing behind', async () => {
    const { limits, expectNothingLeft } = aWait();
    expect(await waitFor(Promise.resolve(1), limits)).toEqual({ ended: 'in-time', value: 1 });
    expectNothingLeft();
  });

  it('rejects as the promise does, and leaves nothing behind', async () => {
    const { limits, expectNothingLeft } = aWait();
    await expect(waitFor(Promise.reject(new Error('refused')), limits)).rejects.toThrow('refused');
    expectNothingLeft();
  });

  it('ends by its limit, and leaves nothing behind', async () => {
    const { clock, limits, expectNothingLeft } = aWait();
    const waited = waitFor(never, limits);
    await clock.advance('5s');
    expect(await waited).toEqual({ ended: 'late' });
    expectNothingLeft();
  });

  it.each(['one', 'other'] as const)('ends by either signal: %s', async (which) => {
    const wait = aWait();
    const waited = waitFor(never, wait.limits);
    wait[which].abort();
    expect(await waited).toEqual({ ended: 'aborted' });
    wait.expectNothingLeft();
  });

  it('does not begin when its signal was aborted before, whatever the promise says', async () => {
    const { other, limits, expectNothingLeft } = aWait();
    other.abort();
    expect(await waitFor(Promise.resolve(1), limits)).toEqual({ ended: 'aborted' });
    expect(await waitFor(Promise.reject(new Error('ignored')), limits)).toEqual({ ended: 'aborted' });
    expectNothingLeft();
  });

  it('ends by an abort in the turn in which the promise settles', async () => {
    const { one, limits, expectNothingLeft } = aWait();
    let settle!: (value: number) => void;
    const waited = waitFor(new Promise<number>((resolve) => (settle = resolve)), limits);
    settle(1);
    one.abort();
    expect(await waited).toEqual({ ended: 'aborted' });
    expectNothingLeft();
  });

  it('ignores a rejection after its end', async () => {
    const { one, limits } = aWait();
    let fail!: (error: Error) => void;
    const waited = waitFor(new Promise<never>((_, reject) => (fail = reject)), limits);
    one.abort();
    fail(new Error('too late'));
    expect(await waited).toEqual({ ended: 'aborted' });
    await eventLoopTurns(2);
  });

  it('rejects when a foreign thenable throws, and leaves nothing behind', async () => {
    const { limits, expectNothingLeft } = aWait();
    const thenable: PromiseLike<void> = {
      // oxlint-disable-next-line unicorn/no-thenable -- that is what is tested
      then: () => {
        throw new Error('foreign');
      },
    };
    await expect(waitFor(thenable, limits)).rejects.toThrow('foreign');
    expectNothingLeft();
  });
});

describe('a wait for a call', () => {
  it('ends by it, and listens no more', async () => {
    const { limits, expectNothingLeft } = aWait();
    const listeners = new Set<() => void>();
    const listen = (tell: () => void) => {
      listeners.add(tell);
      return () => void listeners.delete(tell);
    };
    const waited = waitForCall(listen, limits);
    for (const tell of listeners) tell();
    expect(await waited).toMatchObject({ ended: 'in-time' });
    expect(listeners.size).toBe(0);
    expectNothingLeft();
  });

  it('listens no more once it has ended early', async () => {
    const { one, limits, expectNothingLeft } = aWait();
    let isListening = true;
    const waited = waitForCall(() => () => void (isListening = false), limits);
    one.abort();
    expect(await waited).toEqual({ ended: 'aborted' });
    expect(isListening).toBe(false);
    expectNothingLeft();
  });
});

describe('a pause', () => {
  it('lasts for its length', async () => {
    const { clock, one, expectNothingLeft } = aWait();
    const paused = pause(ms(1_000), { clock, signal: one.signal });
    await clock.advance('1s');
    expect(await paused).toBe('passed');
    expectNothingLeft();
  });

  it.each(['before', 'while'] as const)('ends with an abort %s it lasts', async (when) => {
    const { clock, one, expectNothingLeft } = aWait();
    if (when === 'before') one.abort();
    const paused = pause(ms(1_000), { clock, signal: one.signal });
    one.abort();
    expect(await paused).toBe('aborted');
    expectNothingLeft();
  });
});

describe('a limit', () => {
  it('passes exactly when it should while the process runs', async () => {
    const clock = new VirtualClock();
    let passed = false;
    startLimit(clock, ms(5_000), () => (passed = true));
    await clock.advance(4_999);
    expect(passed).toBe(false);
    await clock.advance(1);
    expect(passed).toBe(true);
    expect(clock.armedTimers).toBe(0);
  });

  it.each([0, 1_500, 4_500])(
    'outlasts a standstill %i ms after it began, and the reading of what has arrived',
    async (begun) => {
      const clock = new VirtualClock();
      let passed = false;
      startLimit(clock, ms(5_000), () => (passed = true));
      await clock.advance(begun);
      clock.jump('1m');
      // What became due fires first.
      await clock.advance(0);
      expect(passed).toBe(false);
      await clock.advance('999ms');
      expect(passed).toBe(false);
      await clock.advance('5s');
      expect(passed).toBe(true);
    },
  );

  it('passes even if each of its timers is late', async () => {
    const clock = new StandstillClock();
    let passed = false;
    startLimit(clock, ms(5_000), () => (passed = true));
    // Five parts, and one more in which what has arrived is read.
    for (let look = 0; look < 6; look += 1) {
      expect(passed).toBe(false);
      clock.standStill(ms(2_500));
    }
    expect(passed).toBe(true);
  });

  it.each([0, 0.5, 1])('of %d ms passes', async (limit) => {
    const clock = new StandstillClock();
    await new Promise<void>((resolve) => startLimit(clock, ms(limit), resolve));
  });
});
