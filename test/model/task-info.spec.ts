import { inspect } from 'node:util';
import { jsonCodec, type PayloadCodec } from '../../lib/model/task/payload.codec.js';
import { RecordedTaskInfo, type TaskRecord } from '../../lib/model/task/task-info.js';
import type { TaskMessage } from '../../lib/model/task/task-message.js';
import { aTaskMessage } from '../support/a-task-message.js';

const mail = { id: 'one', queue: 'low', type: 'mail', maxRetry: 3, payload: Buffer.from('{"to":{"name":"Ada"}}') };

function infoOf(parts: Partial<TaskMessage> = {}, record: Partial<TaskRecord> = {}): RecordedTaskInfo {
  const message = aTaskMessage({ ...mail, ...parts });
  return new RecordedTaskInfo({
    message,
    state: 'pending',
    nextProcessAt: undefined,
    result: undefined,
    codec: jsonCodec,
    ...record,
  });
}

describe('TaskInfo', () => {
  it('has its payload and result decoded, and both as bytes', () => {
    const info = infoOf({}, { state: 'completed', result: Buffer.from('[1]') });
    expect(info).toMatchObject({ payload: { to: { name: 'Ada' } }, result: [1] });
    expect([info.rawPayload, info.rawResult]).toEqual([mail.payload, Buffer.from('[1]')]);
    expect(infoOf({ payload: Buffer.alloc(0) })).toMatchObject({ payload: undefined, result: undefined });
  });

  it('decodes nothing before it is read', () => {
    const decoded: Uint8Array[] = [];
    const codec: PayloadCodec = { ...jsonCodec, decode: (bytes) => decoded.push(bytes) };
    const info = infoOf({}, { codec });
    expect(decoded).toEqual([]);
    expect(info.payload).toBe(1);
    expect(decoded).toEqual([mail.payload]);
  });

  it('fails to decode when it is read, and only then', () => {
    const info = infoOf({ payload: Buffer.from('{"to":') });
    expect(() => info.payload).toThrow(expect.objectContaining({ code: 'ASYNQ_INVALID_PAYLOAD' }));
    expect(JSON.parse(JSON.stringify(info))).toMatchObject({ payload: '<6 bytes that do not decode>' });
  });

  it('prints its fields, as deep as other objects', () => {
    const headers = Object.assign(Object.create(null) as Record<string, string>, { trace: 'abc' });
    const info = infoOf({ headers });
    expect(inspect(info, { breakLength: Infinity })).toBe(
      "TaskInfo { id: 'one', queue: 'low', type: 'mail', payload: { to: { name: 'Ada' } }, headers: { trace: 'abc' }, " +
        "state: 'pending', maxRetry: 3, retried: 0, retention: 0 }",
    );
    expect(inspect({ deep: { deeper: { info } } })).toContain('[TaskInfo]');
    expect(inspect(info, { depth: 0 })).toContain('payload: [Object]');
  });

  it('serializes with its payload decoded', () => {
    const info = infoOf({ deadlineSeconds: 1_700_000_000, timeoutSeconds: 20 });
    expect(JSON.parse(JSON.stringify({ info }))).toEqual({
      info: {
        id: 'one',
        queue: 'low',
        type: 'mail',
        payload: { to: { name: 'Ada' } },
        state: 'pending',
        maxRetry: 3,
        retried: 0,
        timeout: 20_000,
        deadline: '2023-11-14T22:13:20.000Z',
        retention: 0,
      },
    });
  });

  it('counts bytes instead of showing them', () => {
    const codec: PayloadCodec = { encode: (value) => value as Uint8Array, decode: (bytes) => bytes };
    const info = infoOf({ payload: Buffer.alloc(5_000_000) }, { codec, result: Buffer.alloc(7) });
    for (const text of [JSON.stringify(info), inspect(info)]) {
      expect(text).toContain('<5000000 bytes>');
      expect(text).toContain('<7 bytes>');
      expect(text.length).toBeLessThan(500);
    }
  });
});
