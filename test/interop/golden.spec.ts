import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  decodeServerInfo,
  decodeWorkerInfo,
  encodeServerInfo,
  encodeWorkerInfo,
} from '../../lib/model/broker/presence.codec.js';
import {
  decodePublishedSchedule,
  decodeScheduleEvent,
  encodePublishedSchedule,
  encodeScheduleEvent,
} from '../../lib/model/cron/published-schedule.codec.js';
import { decodeTaskMessage, encodeTaskMessage } from '../../lib/model/task/task-message.codec.js';
import {
  scheduleEntryOf,
  scheduleEventOf,
  serverInfoOf,
  taskMessageOf,
  type WireFields,
  workerInfoOf,
} from './support/wire-fields.js';

interface GoldenRecord {
  readonly name: string;
  readonly fields: WireFields;
  readonly hex: string;
}

function golden(file: string): readonly [name: string, record: GoldenRecord][] {
  const records = JSON.parse(readFileSync(join(__dirname, 'golden', file), 'utf8')) as GoldenRecord[];
  return records.map((record) => [record.name, record]);
}

/** Values as plain data: no matter which class of bytes holds them and whether an object has a prototype. */
function plain(value: object): unknown {
  return JSON.parse(
    JSON.stringify(value, (_key, inner: unknown) => {
      if (typeof inner === 'object' && inner !== null && 'type' in inner && inner.type === 'Buffer') return inner;
      return inner instanceof Uint8Array ? Buffer.from(inner).toJSON() : inner;
    }),
  );
}

// The files of golden/ hold what Go's own message types made of these fields; recorder/record.mjs records them.
describe('P-14 P-01 P-02 P-03 P-04 the bytes that Go writes', () => {
  describe.each(golden('task-message.json'))('TaskMessage: %s', (_name, { fields, hex }) => {
    it('is what we write', () => {
      expect(encodeTaskMessage(taskMessageOf(fields)).toString('hex')).toBe(hex);
    });

    it('is read with every field', () => {
      const decoded = decodeTaskMessage(Buffer.from(hex, 'hex'));
      expect(decoded.ok && plain(decoded.message)).toEqual(plain(taskMessageOf(fields)));
    });
  });

  describe.each(golden('server-info.json'))('P-15 ServerInfo: %s', (_name, { fields, hex }) => {
    it('is what we write', () => {
      expect(encodeServerInfo(serverInfoOf(fields)).toString('hex')).toBe(hex);
    });

    it('is read with every field', () => {
      const decoded = decodeServerInfo(Buffer.from(hex, 'hex'));
      expect(decoded.ok && plain(decoded.value)).toEqual(plain(serverInfoOf(fields)));
    });
  });

  describe.each(golden('worker-info.json'))('P-15 WorkerInfo: %s', (_name, { fields, hex }) => {
    it('is what we write', () => {
      expect(encodeWorkerInfo(workerInfoOf(fields)).toString('hex')).toBe(hex);
    });

    it('is read with every field', () => {
      const decoded = decodeWorkerInfo(Buffer.from(hex, 'hex'));
      expect(decoded.ok && plain(decoded.value)).toEqual(plain(workerInfoOf(fields)));
    });
  });

  describe.each(golden('scheduler-entry.json'))('P-15 P-16 SchedulerEntry: %s', (_name, { fields, hex }) => {
    it('is what we write', () => {
      expect(encodePublishedSchedule(scheduleEntryOf(fields)).toString('hex')).toBe(hex);
    });

    it('is read with every field', () => {
      const decoded = decodePublishedSchedule(Buffer.from(hex, 'hex'));
      expect(decoded.ok && plain(decoded.value)).toEqual(plain(scheduleEntryOf(fields)));
    });
  });

  describe.each(golden('scheduler-enqueue-event.json'))('P-15 SchedulerEnqueueEvent: %s', (_name, { fields, hex }) => {
    it('is what we write', () => {
      expect(encodeScheduleEvent(scheduleEventOf(fields)).toString('hex')).toBe(hex);
    });

    it('is read with every field', () => {
      const decoded = decodeScheduleEvent(Buffer.from(hex, 'hex'));
      expect(decoded.ok && plain(decoded.value)).toEqual(plain(scheduleEventOf(fields)));
    });
  });
});
