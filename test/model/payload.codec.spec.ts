import { InvalidPayloadError, InvalidTaskError } from '../../lib/model/errors/task-errors.js';
import { decodePayload, encodePayload, jsonCodec, type PayloadCodec } from '../../lib/model/task/payload.codec.js';

const cyclic: Record<string, unknown> = {};
cyclic['self'] = cyclic;

describe('payload codec', () => {
  it.each([
    ['an object', { userId: 42, tags: ['a'] }, '{"userId":42,"tags":["a"]}'],
    ['text', 'é😀', '"é😀"'],
    ['null', null, 'null'],
    ['false', false, 'false'],
    ['a lone surrogate, escaped', '\ud800', '"\\ud800"'],
    ['nothing', undefined, ''],
  ])('writes %s as JSON and reads it back', (_what, value, json) => {
    const bytes = encodePayload(value, jsonCodec);
    expect(Buffer.from(bytes).toString()).toBe(json);
    expect(decodePayload(bytes, jsonCodec)).toEqual(value);
  });

  it('P-13 accepts bytes unchanged, without a copy', () => {
    for (const bytes of [Buffer.from([0, 255, 128]), new Uint8Array([0, 255]), Buffer.alloc(0)]) {
      expect(encodePayload(bytes, jsonCodec)).toBe(bytes);
    }
  });

  it.each([
    ['a BigInt', { amount: 1n }, 'BigInt'],
    ['a cycle', cyclic, 'circular'],
    ['a function', () => 1, 'function'],
    ['a symbol', Symbol('x'), 'symbol'],
    ['a promise', Promise.resolve(1), 'await it'],
    ['an ArrayBuffer', new ArrayBuffer(2), 'Uint8Array'],
    ['a Float64Array', new Float64Array(2), 'Uint8Array'],
    [
      'an object whose toJSON throws',
      {
        toJSON() {
          throw new Error('no JSON today');
        },
      },
      'no JSON today',
    ],
  ])('refuses %s', (_what, value, reason) => {
    expect(() => encodePayload(value, jsonCodec)).toThrow(InvalidTaskError);
    expect(() => encodePayload(value, jsonCodec)).toThrow(reason);
  });

  it('keeps what the codec threw as the cause', () => {
    const failure = new RangeError('too deep');
    const codec: PayloadCodec = {
      encode: () => {
        throw failure;
      },
      decode: () => {
        throw failure;
      },
    };
    expect(thrownBy(() => encodePayload({}, codec))).toMatchObject({ code: 'ASYNQ_INVALID_TASK', cause: failure });
    expect(thrownBy(() => decodePayload(Buffer.from('x'), codec))).toMatchObject({
      code: 'ASYNQ_INVALID_PAYLOAD',
      cause: failure,
    });
  });

  it('refuses a codec that returns something other than bytes', () => {
    const codec = { encode: () => 'text', decode: () => 0 } as unknown as PayloadCodec;
    expect(() => encodePayload({}, codec)).toThrow('the codec returned string, not bytes');
  });

  it.each([
    ['no JSON', Buffer.from('{"userId":')],
    ['no UTF-8', Buffer.from([0x22, 0xff, 0x22])],
  ])('refuses a stored payload that is %s', (_what, bytes) => {
    expect(() => decodePayload(bytes, jsonCodec)).toThrow(InvalidPayloadError);
  });

  it('reads a view of a larger memory', () => {
    const memory = new Uint8Array(Buffer.from('xx{"a":1}yy'));
    expect(decodePayload(memory.subarray(2, 9), jsonCodec)).toEqual({ a: 1 });
  });
});

function thrownBy(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}
