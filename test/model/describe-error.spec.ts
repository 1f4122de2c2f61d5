import { HandlerNotFoundError, DeadlineExceededError } from '../../lib/model/errors/task-errors.js';
import { describeError } from '../../lib/model/retry/describe-error.js';

class PaymentError extends Error {
  override readonly name = 'PaymentError';
}

const looped = new Error('loop');
looped.cause = looped;

describe('describeError', () => {
  it.each<[string, unknown, string]>([
    ['an error', new Error('boom'), 'boom'],
    [
      'an error with its cause',
      new TypeError('fetch failed', { cause: new Error('ECONNREFUSED') }),
      'fetch failed: ECONNREFUSED',
    ],
    ['a cause that is said already', new Error('failed: no disk', { cause: new Error('no disk') }), 'failed: no disk'],
    ['a cause that is text', new Error('failed', { cause: 'no disk' }), 'failed: no disk'],
    ['an error without a message', new PaymentError(), 'PaymentError'],
    ['an error that is its own cause', looped, 'loop'],
    ["Asynq's own text, untouched", new DeadlineExceededError({ cause: boomed() }), 'context deadline exceeded'],
    ["Asynq's text for no handler", new HandlerNotFoundError('a"b'), 'handler not found for task "a\\"b"'],
    ['a string', 'boom', 'boom'],
    ['an empty string', '', 'the handler threw an empty string'],
    ['undefined', undefined, 'the handler threw undefined'],
    ['null', null, 'the handler threw null'],
    ['a number', 42, 'the handler threw 42'],
    ['a symbol', Symbol('x'), 'the handler threw Symbol(x)'],
    ['a frozen object', Object.freeze({ status: 500 }), 'the handler threw { status: 500 }'],
    ['an object with a message', { message: 'boom', status: 500 }, 'boom'],
    ['an error of nothing', { message: '' }, 'an error without a message'],
  ])('tells %s', (_what, error, expected) => {
    expect(describeError(error)).toBe(expected);
  });

  it('survives objects that throw when they are looked at', () => {
    const refuse = (): never => {
      throw new Error('do not look');
    };
    const getter = Object.defineProperty({}, 'message', { get: refuse, enumerable: true });
    const proxy = new Proxy({}, { get: refuse, has: refuse, ownKeys: refuse, getPrototypeOf: refuse });
    const inspecting = { [Symbol.for('nodejs.util.inspect.custom')]: refuse };
    for (const error of [getter, proxy, inspecting]) expect(describeError(error)).toMatch(/^the handler threw/);
  });

  it('P-12 turns lone surrogates into valid Unicode', () => {
    expect(describeError(new Error('a\ud800b'))).toBe('a\ufffdb');
  });

  it.each([
    ['ASCII', 'x'],
    ['characters of three bytes', '€'],
    ['characters of four bytes', '😀'],
    ['lone surrogates', '\ud800'],
  ])('cuts 10 MB of %s between two characters', (_what, character) => {
    const text = describeError(new Error(character.repeat(10_000_000 / character.length)));
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(65_536);
    expect(Buffer.byteLength(text)).toBeGreaterThan(65_536 - 8);
    expect(text.endsWith(' [cut]')).toBe(true);
    expect(Buffer.from(text).toString()).toBe(text);
  });

  it('keeps a text of exactly the longest length whole', () => {
    const text = 'x'.repeat(65_536);
    expect(describeError(new Error(text))).toBe(text);
  });

  it('reads large objects only in part', () => {
    const error = { rows: Array.from({ length: 100_000 }, () => ({ deep: { deeper: { deepest: 'x'.repeat(100) } } })) };
    expect(describeError(error).length).toBeLessThan(5_000);
  });
});

function boomed(): Error {
  return new Error('boom');
}
