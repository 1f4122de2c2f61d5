import { RevokeTaskError, SkipRetryError, SnoozeError } from '../../../lib/model/errors/control-errors.js';
import { InvalidPayloadError, InvalidTaskError } from '../../../lib/model/errors/task-errors.js';
import { type FailedRun, type FailureSettlement, judgeFailure } from '../../../lib/engine/outcome/failure.js';
import { jsonCodec } from '../../../lib/model/task/payload.codec.js';
import { defaultRetryDelay } from '../../../lib/model/retry/retry-delay.js';
import { epochMs, ms } from '../../../lib/model/time/duration.js';
import { aTaskMessage } from '../../support/a-task-message.js';
import { seededRandom } from '../../support/seeded-random.js';

const now = epochMs(1_700_000_000_123);
const boom = new Error('boom');
const message = aTaskMessage({ type: 'x', retried: 2, maxRetry: 5, payload: Buffer.from('p') });
const context: FailedRun = { message, policy: { delay: () => ms(30_000), isFailure: () => true }, now };

function outcomeOf(error: unknown, change: Partial<FailedRun> = {}): FailureSettlement {
  return judgeFailure(error, { ...context, queue: message.queue, codec: jsonCodec, ...change }).settlement;
}

const failedAt = { lastFailedAtSeconds: 1_700_000_000 };
const retry = {
  kind: 'retry',
  message: { ...message, ...failedAt, retried: 3, errorMessage: 'boom' },
  retryAt: now + 30_000,
  counts: 'as-failure',
};
const archived = (reason: string): FailureSettlement => ({
  kind: 'archive',
  message: { ...message, ...failedAt, errorMessage: reason },
});

describe('judgeFailure', () => {
  it('P-79, S-47 retries after the delay, with the counter incremented and the error and time recorded', () => {
    expect(outcomeOf(boom)).toEqual(retry);
  });

  it('S-60 calls retryDelay with the counter before this failure, and the error', () => {
    const asked: unknown[] = [];
    const delay = (...args: unknown[]) => {
      asked.push(...args);
      return ms(1);
    };
    outcomeOf(boom, { policy: { ...context.policy, delay } });
    expect(asked).toEqual([2, boom]);
  });

  it.each([
    ['S-48 when the retries are used up', { retried: 5, maxRetry: 5 }],
    ['when a limit was lowered below the counter', { retried: 6, maxRetry: 5 }],
    ['S-62 at the first failure when no retry is allowed', { retried: 0, maxRetry: 0 }],
  ])('archives %s', (_when, counters) => {
    const spent = { ...message, ...counters };
    expect(outcomeOf(boom, { message: spent })).toEqual({
      kind: 'archive',
      message: { ...spent, ...failedAt, errorMessage: 'boom' },
    });
  });

  const notCounted = { ...context.policy, isFailure: () => false };

  it('P-81, S-56 counts nothing when the error is not a failure', () => {
    const uncounted = { ...retry, message: { ...retry.message, retried: 2 }, counts: 'not' };
    expect(outcomeOf(boom, { policy: notCounted })).toEqual(uncounted);
  });

  it('S-57 archives at the limit even when the error is not a failure', () => {
    const spent = { ...message, retried: 5 };
    expect(outcomeOf(boom, { policy: notCounted, message: spent })).toMatchObject({ kind: 'archive' });
  });

  it.each<[string, unknown, FailureSettlement]>([
    ['S-49 SkipRetryError', new SkipRetryError(), archived('skip retry for the task')],
    [
      'S-49 SkipRetryError in a cause',
      new Error('no account', { cause: new SkipRetryError('gone') }),
      archived('no account: gone'),
    ],
    ['S-50 RevokeTaskError', new RevokeTaskError(), { kind: 'done', message }],
    ['S-50 RevokeTaskError in a cause of a cause', wrap(wrap(new RevokeTaskError())), { kind: 'done', message }],
    ['S-50 RevokeTaskError among others', new AggregateError([boom, new RevokeTaskError()]), { kind: 'done', message }],
    ['SnoozeError', new SnoozeError('1m'), { kind: 'snooze', message, until: epochMs(now + 60_000) }],
    ['SnoozeError in a cause', wrap(new SnoozeError(5)), { kind: 'snooze', message, until: epochMs(now + 5) }],
    [
      'the outermost of several',
      new SnoozeError('1m', { cause: new RevokeTaskError() }),
      { kind: 'snooze', message, until: epochMs(now + 60_000) },
    ],
    ['a payload that does not decode', new InvalidPayloadError('bad'), archived('bad')],
    ['an error of another copy of the package', { code: 'ASYNQ_SKIP_RETRY', message: 'no' }, archived('no')],
  ])('does as the handler says: %s', (_what, error, expected) => {
    expect(outcomeOf(error)).toEqual(expected);
  });

  it('retries when the invalid payload belonged to a task that the handler enqueued', () => {
    const error = new InvalidTaskError('cannot enqueue', { cause: new InvalidPayloadError('bad') });
    expect(outcomeOf(error).kind).toBe('retry');
  });

  const looped = new Error('loop');
  looped.cause = looped;

  it.each<[string, unknown]>([
    ['undefined', undefined],
    ['null', null],
    ['a string', 'boom'],
    ['a frozen object', Object.freeze({})],
    ['an error that is its own cause', looped],
    ['an object that throws when it is looked at', hostile()],
    ['a snooze without a delay', { code: 'ASYNQ_SNOOZE', message: 'x', delay: Number.NaN }],
  ])('retries whatever else was thrown: %s', (_what, error) => {
    const outcome = outcomeOf(error);
    expect(outcome).toMatchObject({
      kind: 'retry',
      message: { errorMessage: expect.stringMatching(/./) as string },
    });
  });
});

describe('a canceled run', () => {
  it.each<[NonNullable<FailedRun['canceled']>, string]>([
    ['delete', 'delete'],
    ['archive', 'archive'],
    ['retry', 'retry'],
  ])('ends as the cancellation says: %s', (canceled, kind) => {
    expect(outcomeOf(boom, { canceled }).kind).toBe(kind);
  });
});

describe('defaultRetryDelay', () => {
  it.each([
    [0, 15, 44],
    [1, 16, 74],
    [2, 31, 118],
    [3, 96, 212],
    [4, 271, 416],
    [5, 640, 814],
    [10, 10_015, 10_334],
    [15, 50_640, 51_104],
    [20, 160_015, 160_624],
    [24, 331_791, 332_516],
  ])('S-61 after %d retries lies between %d and %d s, in steps', (retried, min, max) => {
    expect(defaultRetryDelay(retried, () => 0)).toBe(min * 1_000);
    expect(defaultRetryDelay(retried, () => 0.999_999)).toBe(max * 1_000);
    const random = seededRandom(retried);
    for (let draw = 0; draw < 50; draw += 1) {
      const seconds = defaultRetryDelay(retried, random) / 1_000;
      expect((seconds - min) % (retried + 1)).toBe(0);
    }
  });

  it('stays an instant that a Date can hold, however many retries there were', () => {
    expect(new Date(now + defaultRetryDelay(2 ** 31 - 1, () => 0)).getTime()).not.toBeNaN();
  });
});

function wrap(cause: unknown): Error {
  return new Error('wrapped', { cause });
}

function hostile(): object {
  const refuse = (): never => {
    throw new Error('do not look');
  };
  return new Proxy({}, { get: refuse, has: refuse, ownKeys: refuse, getPrototypeOf: refuse });
}
