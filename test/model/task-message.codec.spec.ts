import * as fc from 'fast-check';
import { decodeTaskMessage, encodeTaskMessage } from '../../lib/model/task/task-message.codec.js';
import type { TaskMessage } from '../../lib/model/task/task-message.js';
import { aTaskMessage } from '../support/a-task-message.js';

const plain = {
  type: 'email:send',
  payload: Buffer.from('{"u":1}'),
  id: 't-1',
  queue: 'default',
  maxRetry: 25,
  timeoutSeconds: 1_800,
};
const a1 = '0a0a656d61696c3a73656e6412077b2275223a317d1a03742d31220764656661756c74281940880e';

// The test vectors of docs/protocol/task-message.md (P-14).
const goldenVectors: readonly (readonly [string, Partial<TaskMessage>, string])[] = [
  ['A1, a plain task', plain, a1],
  [
    'A2, a task that failed once',
    { ...plain, retried: 1, errorMessage: 'boom', lastFailedAtSeconds: 1_700_000_000 },
    '0a0a656d61696c3a73656e6412077b2275223a317d1a03742d31220764656661756c74281930013a04626f6f6d40880e5880e2cfaa06',
  ],
  [
    'A3, a task with lock, retention, group and header',
    {
      ...plain,
      uniqueKey: 'asynq:{default}:unique:email:send:cfeb4906248f18cb94f202711c2a34cf',
      retentionSeconds: 3_600,
      group: 'g',
      headers: { k: 'v' },
    },
    `${a1}52426173796e713a7b64656661756c747d3a756e697175653a656d61696c3a73656e643a6366656234393036323438663138636239346632303237313163326133346366` +
      '60901c7201677a060a016b120176',
  ],
  ['A4, nothing', {}, ''],
  ['A5, an empty header', { type: 'x', id: 'i', queue: 'q', headers: { '': '' } }, '0a01781a01692201717a040a001200'],
  [
    'A6, negative numbers',
    { type: 'x', id: 'i', queue: 'q', maxRetry: -1, deadlineSeconds: -62_135_596_800 },
    '0a01781a016922017128ffffffffffffffffff01488092b8c398feffffff01',
  ],
];

/** A field's tag: number and wire type. */
const tag = (field: number, wireType: number): Buffer => Buffer.from([(field << 3) | wireType]);
const text = (field: number, value: string | Buffer): Buffer =>
  Buffer.concat([tag(field, 2), Buffer.from([value.length]), Buffer.from(value as string)]);

function decoded(...parts: readonly Uint8Array[]): TaskMessage {
  return decodedInPlace(Buffer.concat(parts));
}

function decodedInPlace(bytes: Uint8Array): TaskMessage {
  const outcome = decodeTaskMessage(bytes);
  if (!outcome.ok) throw new Error(outcome.reason);
  return outcome.message;
}

describe('task message codec', () => {
  it.each(goldenVectors)('P-14 P-01 P-04 writes and reads %s', (_name, parts, hex) => {
    const message = aTaskMessage(parts);
    expect(encodeTaskMessage(message).toString('hex')).toBe(hex);
    expect(decoded(Buffer.from(hex, 'hex'))).toEqual(message);
  });

  const anyMessage: fc.Arbitrary<TaskMessage> = fc
    .record({
      type: fc.string({ unit: 'binary', maxLength: 200 }),
      payload: fc.uint8Array({ maxLength: 3_000 }).map((bytes) => Buffer.from(bytes)),
      id: fc.string({ unit: 'binary', maxLength: 200 }),
      queue: fc.string({ unit: 'binary', maxLength: 200 }),
      maxRetry: fc.integer(),
      retried: fc.integer(),
      errorMessage: fc.string({ unit: 'binary', maxLength: 6_000 }),
      timeoutSeconds: fc.maxSafeInteger(),
      deadlineSeconds: fc.maxSafeInteger(),
      group: fc.string({ unit: 'binary' }),
      headers: fc.option(fc.dictionary(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), { minKeys: 1 }), {
        nil: undefined,
      }),
    })
    .map(aTaskMessage);

  it('reads back what it writes, in any order and number', () => {
    fc.assert(
      fc.property(fc.array(anyMessage, { minLength: 1, maxLength: 8 }), (messages) => {
        const written = messages.map(encodeTaskMessage);
        expect(written.map((bytes) => decoded(bytes))).toEqual(messages);
      }),
      { numRuns: 50 },
    );
  });

  it('never throws, whatever the bytes are', () => {
    const damaged = fc
      .tuple(anyMessage, fc.nat(), fc.uint8Array({ minLength: 1, maxLength: 4 }))
      .map(([message, at, bytes]) => {
        const written = Buffer.from(encodeTaskMessage(message));
        written.set(bytes.subarray(0, written.length), Math.max(0, (at % (written.length + 1)) - bytes.length));
        return written;
      });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), damaged), (bytes) => {
        expect(typeof decodeTaskMessage(bytes).ok).toBe('boolean');
      }),
      { numRuns: 500 },
    );
  });

  it('P-02 P-05 omits defaults, and reads missing fields as defaults', () => {
    expect(encodeTaskMessage(aTaskMessage({ type: 'x' })).toString('hex')).toBe('0a0178');
    expect(decoded(Buffer.from('0a0178', 'hex'))).toEqual(aTaskMessage({ type: 'x' }));
  });

  it('P-03 writes fields in ascending order, headers last', () => {
    const bytes = encodeTaskMessage(
      aTaskMessage({
        type: 'a',
        payload: Buffer.from('b'),
        id: 'c',
        queue: 'd',
        maxRetry: 1,
        group: 'e',
        headers: { f: 'g' },
      }),
    );
    expect(bytes.toString('hex')).toBe('0a01611201621a016322016428017201657a060a0166120167');
  });

  it('P-06 keeps fields of a newer protocol when the record is written again', () => {
    // Field 16 with text, field 24 with a number.
    const newer = Buffer.from('820103616263c0012a', 'hex');
    const message = decoded(text(1, 'x'), newer, text(3, 'id'));
    expect(message).toEqual(aTaskMessage({ type: 'x', id: 'id', unknownFields: newer }));
    expect(decoded(encodeTaskMessage({ ...message, retried: 1 }))).toEqual({ ...message, retried: 1 });
  });

  it('treats a known field of a wrong wire type as an unknown one', () => {
    const message = decoded(text(5, 'no number'), Buffer.from([0x08, 0x01]));
    expect(message.maxRetry).toBe(0);
    expect(message.type).toBe('');
    expect(message.unknownFields?.length).toBe(13);
  });

  it('uses the last occurrence of a field, or of a header', () => {
    const header = (key: string, value: string): Buffer => text(15, Buffer.concat([text(1, key), text(2, value)]));
    const message = decoded(text(1, 'first'), header('k', 'one'), text(1, 'last'), header('k', 'two'), header('l', ''));
    expect(message.type).toBe('last');
    expect(message.headers).toEqual({ k: 'two', l: '' });
  });

  it('P-04 reads a header that lacks its key, its value or both as empty', () => {
    expect(decoded(text(15, text(2, 'v'))).headers).toEqual({ '': 'v' });
    expect(decoded(text(15, text(1, 'k'))).headers).toEqual({ k: '' });
    expect(decoded(text(15, '')).headers).toEqual({ '': '' });
  });

  it('accepts any header name, including those of object internals', () => {
    const headers = Object.assign(Object.create(null) as Record<string, string>, { constructor: 'a' });
    headers['__proto__'] = 'b';
    const read = decoded(encodeTaskMessage(aTaskMessage({ headers }))).headers;
    expect(Object.entries(read ?? {})).toEqual([
      ['constructor', 'a'],
      ['__proto__', 'b'],
    ]);
  });

  it('skips groups of fields, including nested ones', () => {
    const nested = Buffer.from('830108018b0112008c018401', 'hex');
    expect(decoded(nested, text(1, 'x'))).toEqual(aTaskMessage({ type: 'x', unknownFields: nested }));
  });

  it.each([
    ['ffffffffffffffff7f', Number.MAX_SAFE_INTEGER],
    ['80808080808080808001', Number.MIN_SAFE_INTEGER],
    ['ffffffffffffff0f', Number.MAX_SAFE_INTEGER],
    ['8080808080808010', Number.MAX_SAFE_INTEGER],
    ['ffffffffffffffffff01', -1],
    ['80808080808080f0ff01', Number.MIN_SAFE_INTEGER],
  ])('reads the 64-bit number %s as the nearest safe number', (hex, value) => {
    expect(decoded(tag(8, 0), Buffer.from(hex, 'hex')).timeoutSeconds).toBe(value);
  });

  it('cuts a 32-bit number to its bits, as Go does', () => {
    expect(decoded(tag(5, 0), Buffer.from('8180808010', 'hex')).maxRetry).toBe(1);
    expect(decoded(tag(5, 0), Buffer.from('ffffffff0f', 'hex')).maxRetry).toBe(-1);
  });

  it('P-12 writes lone surrogates as U+FFFD, so the text is valid UTF-8', () => {
    const bytes = encodeTaskMessage(aTaskMessage({ errorMessage: 'a\ud800b', headers: { '\udc00': 'é😀' } }));
    expect(decoded(bytes)).toMatchObject({ errorMessage: 'a\ufffdb', headers: { '\ufffd': 'é😀' } });
  });

  it.each([
    ['type', text(1, Buffer.from([0xff]))],
    ['unique_key', text(10, Buffer.from([0xed, 0xa0, 0x80]))],
    ['group_key', text(14, Buffer.concat([Buffer.alloc(80, 'x'), Buffer.from([0xc0])]))],
    ['headers', text(15, text(1, Buffer.from([0xc0, 0x80])))],
  ])('refuses invalid UTF-8 in %s, as Go does, and reads the rest', (field, bytes) => {
    const outcome = decodeTaskMessage(Buffer.concat([bytes, text(3, 'id'), text(2, Buffer.from([0xff]))]));
    expect(outcome).toMatchObject({ ok: false, reason: expect.stringContaining(`"${field}"`) as string });
    expect(outcome).toMatchObject({ salvaged: { id: 'id', payload: Buffer.from([0xff]) } });
  });

  it.each([
    ['in the middle of a text', '0a05616263'],
    ['in the middle of a number', '0a01782880'],
    ['in the middle of a tag', '0a017880'],
    ['in the middle of a group', '8301'],
    ['in the middle of 8 bytes', '490000'],
    ['in the middle of 4 bytes', '4d0000'],
    ['with a length that leads out of its header', '7a040a05616263'],
    ['with a length of more than 32 bits', '0affffffffff01'],
    ['with a number of more than 64 bits', '28ffffffffffffffffff02'],
    ['with a number of eleven bytes', '28ffffffffffffffffffff01'],
    ['with the field number 0', '0200'],
    ['with a field number of 30 bits', '8080808010'],
    ['with a wire type that does not exist', '0e'],
    ['with the end of a group that was not started', '0c'],
    ['with the end of another group', '0b14'],
  ])('reports truncated or invalid bytes: %s', (_what, hex) => {
    const outcome = decodeTaskMessage(Buffer.concat([text(3, 'id'), Buffer.from(hex, 'hex')]));
    expect(outcome).toMatchObject({ ok: false, reason: expect.stringMatching(/\w/) as string, salvaged: { id: 'id' } });
  });

  it('does not confuse a text with another whose characters have the same codes as its bytes', () => {
    const types = ['Ã©', 'é', 'Ã©', 'e', 'x'.repeat(200)];
    const written = types.map((type) => encodeTaskMessage(aTaskMessage({ type, queue: type })));
    expect(written.map((bytes) => decoded(bytes).type)).toEqual(types);
    expect(decoded(encodeTaskMessage(aTaskMessage({ type: 'ÿ' })))).toMatchObject({ type: 'ÿ' });
    expect(decodeTaskMessage(text(1, Buffer.from([0xff])))).toMatchObject({ ok: false });
  });

  it('returns the payload as a view of the record', () => {
    const bytes = encodeTaskMessage(aTaskMessage({ payload: Buffer.from('abc') }));
    const { payload } = decodedInPlace(bytes);
    bytes.write('z', 2);
    expect(payload).toEqual(Buffer.from('zbc'));
  });

  it('writes records of many megabytes beside small ones without mixing them up', () => {
    const payloads = [
      Buffer.alloc(3_000_000, 'a'),
      Buffer.from('small'),
      Buffer.alloc(20_000, 'b'),
      Buffer.from('last'),
    ];
    const written = payloads.map((payload) => encodeTaskMessage(aTaskMessage({ payload, id: 'x'.repeat(10_000) })));
    for (const [index, bytes] of written.entries()) {
      const { payload, id } = decodedInPlace(bytes);
      expect(Buffer.compare(payload, payloads[index] as Buffer)).toBe(0);
      expect(id.length).toBe(10_000);
    }
  });
});
