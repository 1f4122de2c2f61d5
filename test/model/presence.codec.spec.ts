import * as fc from 'fast-check';
import {
  decodeServerInfo,
  decodeWorkerInfo,
  encodeServerInfo,
  encodeWorkerInfo,
} from '../../lib/model/broker/presence.codec.js';
import type { ServerInfo, WorkerInfo } from '../../lib/model/broker/presence.js';
import {
  decodePublishedSchedule,
  decodeScheduleEvent,
  encodePublishedSchedule,
  encodeScheduleEvent,
} from '../../lib/model/cron/published-schedule.codec.js';
import { epochMs } from '../../lib/model/time/duration.js';

const server: ServerInfo = {
  host: 'h',
  pid: 42,
  serverId: 's',
  concurrency: 10,
  queues: { default: 1 },
  strictPriority: true,
  status: 'active',
  startedAt: epochMs(1_700_000_000_000),
  activeWorkerCount: 1,
};
const worker: WorkerInfo = {
  host: 'h',
  pid: 42,
  serverId: 's',
  taskId: 't-1',
  taskType: 'email:send',
  taskPayload: Buffer.from('{"u":1}'),
  queue: 'default',
  startedAt: epochMs(1_700_000_000_000),
  deadline: epochMs(1_700_001_800_000),
};
const entry = {
  id: 'e1',
  spec: '@every 30s',
  taskType: 'x',
  taskPayload: Buffer.alloc(0),
  options: ['Queue("low")', 'MaxRetry(3)'],
  nextEnqueueAt: epochMs(1_700_000_000_000),
  previousEnqueueAt: undefined,
};

/** Tag of the last field, a Timestamp at the epoch: present, and empty. */
const emptyTimestamp = (tag: string): RegExp => new RegExp(`${tag}00`);

// The test vectors of docs/protocol/task-message.md (P-14).
describe('records of processes', () => {
  it('writes which groups a server aggregates behind the fields that Go knows, and reads them', () => {
    const aggregates = [
      { queue: undefined, prefix: '' },
      { queue: 'low', prefix: 'a'.repeat(200) },
    ];
    const bytes = encodeServerInfo({ ...server, aggregates });
    expect(decodeServerInfo(bytes)).toEqual({ ok: true, value: { ...server, aggregates } });
    const known = encodeServerInfo(server);
    expect(bytes.subarray(0, known.length)).toEqual(known);
    expect(encodeServerInfo({ ...server, aggregates: [] })).toEqual(
      Buffer.concat([known, Buffer.from('a20600', 'hex')]),
    );
    expect(decodeServerInfo(known)).toEqual({ ok: true, value: server });
  });

  it('P-14 P-15 writes and reads A7, a server', () => {
    // A7 has a nanosecond, which instants here do not keep: it is read, and written without.
    const a7 = '0a0168102a1a0173200a2a0b0a0764656661756c74100130013a0661637469766542080880e2cfaa0610014801';
    expect(decodeServerInfo(Buffer.from(a7, 'hex'))).toEqual({ ok: true, value: server });
    expect(encodeServerInfo(server).toString('hex')).toBe(a7.replace('42080880e2cfaa061001', '42060880e2cfaa06'));
  });

  it('P-14 P-15 writes and reads A8, a running task', () => {
    const a8 =
      '0a0168102a1a01732203742d312a0a656d61696c3a73656e6432077b2275223a317d3a0764656661756c7442060880e2cfaa064a060888f0cfaa06';
    expect(encodeWorkerInfo(worker).toString('hex')).toBe(a8);
    expect(decodeWorkerInfo(Buffer.from(a8, 'hex'))).toEqual({ ok: true, value: worker });
  });

  it('P-14 P-15 P-16 writes and reads A9, a schedule that has never fired', () => {
    const a9 =
      '0a026531120a406576657279203330731a01782a0c517565756528226c6f7722292a0b4d6178526574727928332932060880e2cfaa063a0b088092b8c398feffffff01';
    expect(encodePublishedSchedule(entry).toString('hex')).toBe(a9);
    expect(decodePublishedSchedule(Buffer.from(a9, 'hex'))).toEqual({ ok: true, value: entry });
  });

  it.each([
    ['A10', { taskId: 't-1', enqueuedAt: epochMs(1_700_000_000_500) }, '0a03742d31120c0880e2cfaa061080cab5ee01'],
    ['A11, at the Unix epoch', { taskId: 'a', enqueuedAt: epochMs(0) }, '0a01611200'],
  ])('P-14 P-15 writes and reads %s, a firing', (_name, event, hex) => {
    expect(encodeScheduleEvent(event).toString('hex')).toBe(hex);
    expect(decodeScheduleEvent(Buffer.from(hex, 'hex'))).toEqual({ ok: true, value: event });
  });

  it('P-15 writes instants at the Unix epoch, too', () => {
    const epoch = epochMs(0);
    expect(encodeServerInfo({ ...server, startedAt: epoch }).toString('hex')).toMatch(emptyTimestamp('42'));
    expect(encodeWorkerInfo({ ...worker, startedAt: epoch, deadline: epoch }).toString('hex')).toMatch(/42004a00$/);
    expect(encodePublishedSchedule({ ...entry, nextEnqueueAt: epoch }).toString('hex')).toMatch(emptyTimestamp('32'));
  });

  it('reads an absent instant as 1970, as Go does', () => {
    expect(decodeScheduleEvent(Buffer.from('0a0161', 'hex'))).toEqual({
      ok: true,
      value: { taskId: 'a', enqueuedAt: 0 },
    });
  });

  it('keeps milliseconds before 1970, too', () => {
    const event = { taskId: 'a', enqueuedAt: epochMs(-1_500) };
    expect(decodeScheduleEvent(encodeScheduleEvent(event))).toEqual({ ok: true, value: event });
  });

  it('keeps every queue, whatever its name and priority', () => {
    const queues = Object.assign(Object.create(null) as Record<string, number>, {
      'q}é😀': 7,
      '': 0,
      low: 2 ** 31 - 1,
    });
    queues['__proto__'] = 3;
    const read = decodeServerInfo(encodeServerInfo({ ...server, queues }));
    expect(read.ok && Object.entries(read.value.queues)).toEqual(Object.entries(queues));
  });

  it('writes embedded records of more than 127 bytes', () => {
    const queues = { ['long '.repeat(60)]: 5 };
    expect(decodeServerInfo(encodeServerInfo({ ...server, queues }))).toMatchObject({ ok: true, value: { queues } });
  });

  it('skips fields of a newer protocol and reads an unknown status as closed', () => {
    const bytes = Buffer.concat([encodeServerInfo({ ...server, status: 'new' }), Buffer.from('3a0161820100', 'hex')]);
    expect(decodeServerInfo(bytes)).toEqual({ ok: true, value: { ...server, status: 'closed' } });
  });

  it('never throws, whatever the bytes are, and says what is wrong', () => {
    const readers = [decodeServerInfo, decodeWorkerInfo, decodePublishedSchedule, decodeScheduleEvent];
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.constantFrom(...readers), (bytes, read) => {
        const outcome = read(bytes);
        expect(outcome.ok || outcome.reason.length > 0).toBe(true);
      }),
    );
    expect(decodeWorkerInfo(Buffer.from('0a01ff', 'hex'))).toEqual({
      ok: false,
      reason: 'the text of field "host" is not valid UTF-8',
    });
    expect(decodeServerInfo(Buffer.from('420509', 'hex'))).toMatchObject({ ok: false });
  });
});
