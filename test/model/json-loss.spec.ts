import { runInNewContext } from 'node:vm';
import { resolveClientOptions } from '../../lib/engine/client/client-options.js';
import { resolveSchedulerOptions } from '../../lib/engine/scheduler/scheduler-options.js';
import { InvalidTaskError } from '../../lib/model/errors/task-errors.js';
import { encodePayload, jsonCodec, encodingCodec } from '../../lib/model/task/payload.codec.js';

const strict = encodingCodec(jsonCodec, { strictPayload: true, encoded: 'payload' });

class Order {
  readonly id = 1;
  total(): number {
    return 2;
  }
}

describe('a strict payload', () => {
  it.each<[string, unknown, string]>([
    ['a method', { cb() {} }, 'a function at payload.cb'],
    ['a Map', { a: new Map() }, 'a Map at payload.a'],
    ['a Set in a list', [1, [new Set()]], 'a Set at payload[1][0]'],
    ['a RegExp', { r: /x/ }, 'a RegExp at payload.r'],
    ['an Error', { 'the error': new TypeError('x') }, 'a TypeError at payload["the error"]'],
    ['NaN', { n: Number.NaN }, 'NaN at payload.n'],
    ['Infinity', -Infinity, '-Infinity at payload'],
    ['a boxed NaN', { n: Object(Number.NaN) }, 'NaN at payload.n'],
    ['a symbol', [Symbol('s')], 'a symbol at payload[0]'],
    ['an invalid Date', { at: new Date(Number.NaN) }, 'an invalid Date at payload.at'],
    ['a promise', { later: Promise.resolve() }, 'a Promise at payload.later'],
    ['bytes in an object', { bytes: new Uint8Array(2) }, 'a Uint8Array at payload.bytes'],
    ['a Blob', { file: new Blob(['x']) }, 'a Blob at payload.file'],
    ['a response', { reply: new Response('x') }, 'a Response at payload.reply'],
    ['a signal', [AbortSignal.abort()], 'an AbortSignal at payload[0]'],
    ['a weak reference', { of: new WeakRef({}) }, 'a WeakRef at payload.of'],
    ['a format', { money: new Intl.NumberFormat('en') }, 'a NumberFormat at payload.money'],
    ['form data', { form: new URLSearchParams('a=1') }, 'a URLSearchParams at payload.form'],
    ['a Map of another context', { a: runInNewContext('new Map()') as unknown }, 'a Map at payload.a'],
    ['a function deep inside', { a: { b: [{ c: () => 1 }] } }, 'a function at payload.a.b[0].c'],
    ['a field of an instance', { order: Object.assign(new Order(), { f: () => 1 }) }, 'payload.order.f'],
  ])('refuses %s with its path', (_what, payload, message) => {
    expect(() => encodePayload(payload, strict)).toThrow(InvalidTaskError);
    expect(() => encodePayload(payload, strict)).toThrow(
      `JSON would lose ${message.startsWith('payload') ? 'a function at ' : ''}${message}`,
    );
    if (typeof payload !== 'symbol')
      expect(
        encodePayload(payload, encodingCodec(jsonCodec, { strictPayload: false, encoded: 'payload' })),
      ).toBeInstanceOf(Buffer);
  });

  it.each<[string, unknown]>([
    ['a Date', { at: new Date(0) }],
    ['what has a toJSON', { map: Object.assign(new Map(), { toJSON: () => ({}) }), url: new URL('http://x') }],
    ['a toJSON of its own', { toJSON: () => 1, f: () => 1 }],
    ['an instance with methods', new Order()],
    [
      'an instance that names its kind',
      Object.assign(
        new (class {
          get [Symbol.toStringTag]() {
            return 'Sum';
          }
        })(),
        { a: 1 },
      ),
    ],
    ['an instance without fields', Object.create({ total: () => 2 })],
    ['a Buffer in an object', { bytes: Buffer.from('x') }],
    ['undefined', { a: undefined, b: [undefined] }],
    ['no prototype', Object.assign(Object.create(null) as object, { a: 1 })],
    ['bytes', new Uint8Array([1])],
    ['nothing', undefined],
  ])('takes %s as JSON does', (_what, payload) => {
    expect(encodePayload(payload, strict)).toEqual(encodePayload(payload, jsonCodec));
  });

  it('is required by clients and schedulers, unless strictPayload is false', () => {
    for (const resolve of [resolveClientOptions, resolveSchedulerOptions]) {
      expect(() => resolve({}).codec.encode({ n: Number.NaN })).toThrow('NaN at payload.n');
      expect(resolve({ strictPayload: false }).codec).toBe(jsonCodec);
      expect(() => resolve({ strictPayload: 'no' as never })).toThrow('strictPayload must be true or false');
    }
  });

  it('still refuses cycles, and does not apply to another codec', () => {
    const cyclic: Record<string, unknown> = {};
    cyclic['self'] = cyclic;
    expect(() => encodePayload(cyclic, strict)).toThrow('circular');
    const other = { encode: () => Buffer.alloc(0), decode: () => 0 };
    expect(encodingCodec(other, { strictPayload: true, encoded: 'payload' })).toBe(other);
  });
});
