import { epochMs, type EpochMs } from '../time/duration.js';
import { type Decoded, decodeFields } from '../wire/proto-reader.js';
import { readTimestamp, writeTimestamp } from '../wire/proto-timestamp.js';
import { ProtoWriter } from '../wire/proto-writer.js';
import type { ScheduleEntry, ScheduleEvent } from './schedule.js';

const writer = new ProtoWriter();

/** The bytes of a schedule's record, SchedulerEntry (P-108). */
export function encodeScheduleEntry(entry: ScheduleEntry): Buffer {
  writer.start();
  writer.string(1, entry.id);
  writer.string(2, entry.spec);
  writer.string(3, entry.taskType);
  writer.bytes(4, entry.taskPayload);
  for (const option of entry.options) writer.stringItem(5, option);
  writeTimestamp(writer, 6, entry.nextEnqueueAt);
  writeTimestamp(writer, 7, entry.previousEnqueueAt);
  return writer.finish();
}

/** Reads a schedule's record; whatever the bytes are, it does not throw. The payload is a view of `bytes`. */
export function decodeScheduleEntry(bytes: Uint8Array): Decoded<ScheduleEntry> {
  return decodeFields(bytes, (reader) => {
    const entry = {
      id: '',
      spec: '',
      taskType: '',
      taskPayload: new Uint8Array(0) as Uint8Array,
      options: [] as string[],
      nextEnqueueAt: epochMs(0) as EpochMs | undefined,
      previousEnqueueAt: epochMs(0) as EpochMs | undefined,
    };
    for (let next = reader.next(); next !== 0; next = reader.next()) {
      if (next === 0x0a) entry.id = reader.string('id');
      else if (next === 0x12) entry.spec = reader.string('spec');
      else if (next === 0x1a) entry.taskType = reader.string('task_type');
      else if (next === 0x22) entry.taskPayload = reader.bytes();
      else if (next === 0x2a) entry.options.push(reader.string('enqueue_options'));
      else if (next === 0x32) entry.nextEnqueueAt = readTimestamp(reader);
      else if (next === 0x3a) entry.previousEnqueueAt = readTimestamp(reader);
      else reader.skip(next);
    }
    return entry;
  });
}

/** The bytes of one firing, SchedulerEnqueueEvent (P-109). */
export function encodeScheduleEvent(event: ScheduleEvent): Buffer {
  writer.start();
  writer.string(1, event.taskId);
  writeTimestamp(writer, 2, event.enqueuedAt);
  return writer.finish();
}

/** Reads one firing; whatever the bytes are, it does not throw. */
export function decodeScheduleEvent(bytes: Uint8Array): Decoded<ScheduleEvent> {
  return decodeFields(bytes, (reader) => {
    const event = { taskId: '', enqueuedAt: epochMs(0) };
    for (let next = reader.next(); next !== 0; next = reader.next()) {
      if (next === 0x0a) event.taskId = reader.string('task_id');
      else if (next === 0x12) event.enqueuedAt = readTimestamp(reader) ?? epochMs(0);
      else reader.skip(next);
    }
    return event;
  });
}
