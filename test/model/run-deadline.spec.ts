import { isUnlimited, runDeadline } from '../../lib/model/task/run-deadline.js';
import { epochMs } from '../../lib/model/time/duration.js';
import { aTaskMessage } from '../support/a-task-message.js';

const now = epochMs(1_700_000_000_500);

describe('the deadline of a run', () => {
  it.each([
    ['S-39 timeout only', { timeoutSeconds: 20 }, now + 20_000],
    ['S-40 deadline only', { deadlineSeconds: 1_700_000_100 }, 1_700_000_100_000],
    ['S-41 timeout first', { timeoutSeconds: 20, deadlineSeconds: 1_700_000_100 }, now + 20_000],
    ['S-41 deadline first', { timeoutSeconds: 200, deadlineSeconds: 1_700_000_100 }, 1_700_000_100_000],
    ['S-42 neither', {}, now + 1_800_000],
  ])('%s', (_, parts, expected) => {
    expect(runDeadline(aTaskMessage(parts), now)).toBe(expected);
  });

  it('S-41 both at the same instant', () => {
    const whole = epochMs(1_700_000_000_000);
    const message = aTaskMessage({ timeoutSeconds: 100, deadlineSeconds: 1_700_000_100 });
    expect(runDeadline(message, whole)).toBe(1_700_000_100_000);
  });

  it('S-42 recognizes a message without a limit', () => {
    expect(isUnlimited(aTaskMessage())).toBe(true);
    expect(isUnlimited(aTaskMessage({ timeoutSeconds: 1 }))).toBe(false);
    expect(isUnlimited(aTaskMessage({ deadlineSeconds: 1 }))).toBe(false);
  });
});
