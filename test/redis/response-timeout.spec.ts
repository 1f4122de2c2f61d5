import { type Ms, ms } from '../../lib/model/time/duration.js';
import { ResponseTimeout } from '../../lib/redis/connection/response-timeout.js';
import { VirtualClock } from '../support/virtual-clock.js';

describe('the limit for answers of a server', () => {
  let clock: VirtualClock;
  /** Since when an answer is owed. */
  let since: Ms | undefined;
  /** Whether bytes go out all the time. */
  let isSending: boolean;
  let lostAt: number | undefined;
  let timeout: ResponseTimeout;

  beforeEach(() => {
    clock = new VirtualClock();
    isSending = false;
    lostAt = undefined;
    since = clock.monotonic();
    timeout = new ResponseTimeout({
      clock,
      limit: ms(5_000),
      silentSince: () => since,
      hasSent: () => isSending,
      onSilence: () => {
        lostAt = clock.monotonic();
        since = undefined;
      },
    });
    timeout.start();
  });

  it('passes when there is no answer within it', async () => {
    await clock.advance('1m');
    expect(lostAt).toBe(5_000);
    expect(clock.armedTimers).toBe(0);
  });

  it('does not pass while bytes go out, and then lasts as long as that took', async () => {
    isSending = true;
    await clock.advance('20s');
    isSending = false;
    await clock.advance('1m');
    expect(lostAt).toBe(40_000);
  });

  it('is unchanged after bytes that went out quickly', async () => {
    isSending = true;
    await clock.advance('2s');
    isSending = false;
    await clock.advance('1m');
    expect(lostAt).toBe(7_000);
  });

  it('forgets how long a payload took to go out when the server has answered', async () => {
    isSending = true;
    await clock.advance('20s');
    isSending = false;
    await clock.advance('3s');
    since = clock.monotonic();
    await clock.advance('1m');
    expect(lostAt).toBe(28_000);
  });

  it('does not count a standstill of this process, and looks once more after it', async () => {
    await clock.advance('4s');
    clock.jump('30s');
    await clock.advance('900ms');
    expect(lostAt).toBeUndefined();
    await clock.advance('1m');
    expect(lostAt).toBe(35_000);
  });

  it('counts from the end of a standstill in which nothing could go out', async () => {
    isSending = true;
    await clock.advance('2s');
    isSending = false;
    clock.jump('30s');
    await clock.advance('3s');
    expect(lostAt).toBeUndefined();
    await clock.advance('1m');
    expect(lostAt).toBeLessThanOrEqual(38_000);
  });
});
