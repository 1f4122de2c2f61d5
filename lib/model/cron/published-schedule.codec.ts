import { epochMs, type EpochMs } from '../time/duration.js';
import { type Decoded, decodeFields } from '../wire/proto-reader.js';
import { readTimestamp, writeTimestamp } from '../wire/proto-timestamp.js';
import { ProtoWriter } from '../wire/proto-writer.js';
import type { PublishedSchedule, ScheduleEvent } from './published-schedule.js';

const writer = new ProtoWriter();

/** Encodes a schedule's record, SchedulerEntry (P-108). */
export function encodePublishedSchedule(schedule: PublishedSchedule): Buffer {
  writer.start();
  writer.string(1, schedule.id);
  writer.string(2, schedule.spec);
  writer.string(3, schedule.taskType);
  writer.bytes(4, schedule.taskPayload);
  for (const option of schedule.options) writer.stringItem(5, option);
  writeTimestamp(writer, 6, schedule.nextEnqueueAt);
  writeTimestamp(writer, 7, schedule.previousEnqueueAt);
  return writer.finish();
}

/** Decodes a schedule's record; it never throws, whatever the bytes. The payload is a view of `bytes`. */
export function decodePublishedSchedule(bytes: Uint8Array): Decoded<PublishedSchedule> {
  return decodeFields(bytes, (reader) => {
    const schedule = {
      id: '',
      spec: '',
      taskType: '',
      taskPayload: new Uint8Array(0) as Uint8Array,
      options: [] as string[],
      nextEnqueueAt: epochMs(0) as EpochMs | undefined,
      previousEnqueueAt: epochMs(0) as EpochMs | undefined,
    };
    for (let next = reader.next(); next !== 0; next = reader.next()) {
      if (next === 0x0a) schedule.id = reader.string('id');
      else if (next === 0x12) schedule.spec = reader.string('spec');
      else if (next === 0x1a) schedule.taskType = reader.string('task_type');
      else if (next === 0x22) schedule.taskPayload = reader.bytes();
      else if (next === 0x2a) schedule.options.push(reader.string('enqueue_options'));
      else if (next === 0x32) schedule.nextEnqueueAt = readTimestamp(reader);
      else if (next === 0x3a) schedule.previousEnqueueAt = readTimestamp(reader);
      else reader.skip(next);
    }
    return schedule;
  });
}

/** Encodes one firing, SchedulerEnqueueEvent (P-109). */
export function encodeScheduleEvent(event: ScheduleEvent): Buffer {
  writer.start();
  writer.string(1, event.taskId);
  writeTimestamp(writer, 2, event.enqueuedAt);
  return writer.finish();
}

/** Decodes one firing; it never throws, whatever the bytes. */
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
