import * as fc from 'fast-check';
import { decodeTaskMessage, encodeTaskMessage } from '../../lib/model/task/task-message.codec.js';
import type { TaskMessage } from '../../lib/model/task/task-message.js';
import { GoCodec } from './support/go-client.js';
import { goBuildLimit } from './support/go-program.js';
import { taskMessageOf, wireFieldsOf } from './support/wire-fields.js';

const text = fc.string({ unit: 'binary', maxLength: 200 });
const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const int64 = fc.maxSafeInteger();
const bytes = fc.uint8Array({ maxLength: 300 });

/** Any message whose headers have at most one key: Go draws the order of more anew each time. */
const message: fc.Arbitrary<TaskMessage> = fc.record({
  type: text,
  payload: bytes,
  id: text,
  queue: text,
  maxRetry: int32,
  retried: int32,
  errorMessage: text,
  timeoutSeconds: int64,
  deadlineSeconds: int64,
  uniqueKey: text,
  lastFailedAtSeconds: int64,
  retentionSeconds: int64,
  completedAtSeconds: int64,
  group: text,
  headers: fc.option(fc.dictionary(text, text, { minKeys: 1, maxKeys: 1 }), { nil: undefined }),
  unknownFields: fc.constant(undefined),
});

/** No instant or duration is beyond 2^53 - 1 seconds; a number that claims to be is cut down to it. */
function withinSafeNumbers(value: TaskMessage): TaskMessage {
  const { MAX_SAFE_INTEGER: most } = Number;
  return Object.fromEntries(
    Object.entries(value).map(([name, field]: [string, unknown]) => [
      name,
      typeof field === 'number' ? Math.min(Math.max(field, -most), most) : field,
    ]),
  ) as unknown as TaskMessage;
}

describe('the codec compared with that of Go', () => {
  let go: GoCodec;

  beforeAll(async () => {
    go = await GoCodec.start();
  }, goBuildLimit);

  afterAll(async () => await go.close());

  it('P-01 P-02 P-03 P-12 writes the bytes that Go writes, for any message', async () => {
    await fc.assert(
      fc.asyncProperty(message, async (value) => {
        const { hex, error } = await go.encode('TaskMessage', wireFieldsOf(value));
        expect(error).toBe('');
        expect(encodeTaskMessage(value).toString('hex')).toBe(hex);
      }),
      { numRuns: 1_000 },
    );
  });

  it('P-04 agrees with Go on headers in any number and order', async () => {
    await fc.assert(
      fc.asyncProperty(fc.dictionary(text, text, { minKeys: 2, maxKeys: 20 }), async (headers) => {
        const ours = encodeTaskMessage({ ...taskMessageOf({ type: 'x' }), headers });
        const there = await go.decode('TaskMessage', ours);
        expect(there.fields['headers']).toEqual({ ...headers });
        const back = decodeTaskMessage(Buffer.from(there.hex, 'hex'));
        expect(back.ok && { ...back.message.headers }).toEqual({ ...headers });
      }),
      { numRuns: 300 },
    );
  });

  it('reads or refuses arbitrary bytes as Go does', async () => {
    // Broken messages tell more than noise: most of their fields are still there.
    const broken = fc.tuple(message, fc.nat(), fc.nat(255)).map(([value, at, byte]) => {
      const encoded = encodeTaskMessage(value);
      if (encoded.length > 0) encoded[at % encoded.length] = byte;
      return encoded;
    });
    await fc.assert(
      fc.asyncProperty(fc.oneof(broken, fc.uint8Array({ maxLength: 60 })), async (input) => {
        const there = await go.decode('TaskMessage', input);
        const here = decodeTaskMessage(input);
        expect(here.ok).toBe(there.error === '');
        if (!here.ok) return;
        const expected = withinSafeNumbers(taskMessageOf(there.fields));
        expect({ ...here.message, unknownFields: undefined, headers: { ...here.message.headers } }).toEqual({
          ...expected,
          payload: expect.anything(),
          headers: { ...expected.headers },
        });
        expect(Buffer.from(here.message.payload).equals(expected.payload)).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  it('P-06 keeps fields of a newer protocol for Go', async () => {
    const field16 = Buffer.from([0x82, 0x01, 0x03, 0x61, 0x62, 0x63]);
    const decoded = decodeTaskMessage(Buffer.concat([field16, encodeTaskMessage(taskMessageOf({ type: 'x' }))]));
    if (!decoded.ok) throw new Error(decoded.reason);
    const { hex } = await go.decode('TaskMessage', encodeTaskMessage(decoded.message));
    expect(hex).toBe(`0a0178${field16.toString('hex')}`);
  });
});
