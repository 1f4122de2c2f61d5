import { epochMs } from '../time/duration.js';
import { type Decoded, decodeFields, type ProtoReader } from '../wire/proto-reader.js';
import { readTimestamp, writeTimestamp } from '../wire/proto-timestamp.js';
import { ProtoWriter } from '../wire/proto-writer.js';
import type { AggregatedGroups, ServerInfo, ServerStatus, WorkerInfo } from './presence.js';

const writer = new ProtoWriter();

/** An additional field with a number far from Asynq's; readers that do not know it ignore it. */
const aggregatesField = 100;
const aggregatesTag = (aggregatesField << 3) | 2;

/** Encodes a server's record (P-104). */
export function encodeServerInfo(server: ServerInfo): Buffer {
  writer.start();
  writer.string(1, server.host);
  writer.int(2, server.pid);
  writer.string(3, server.serverId);
  writer.int(4, server.concurrency);
  for (const [queue, priority] of Object.entries(server.queues)) writer.intPair(5, queue, priority);
  writer.bool(6, server.strictPriority);
  writer.string(7, server.status);
  writeTimestamp(writer, 8, server.startedAt);
  writer.int(9, server.activeWorkerCount);
  const { aggregates } = server;
  if (aggregates !== undefined) {
    writer.embedded(aggregatesField, () => {
      for (const { queue = '', prefix } of aggregates) writer.stringPair(1, queue, prefix);
    });
  }
  return writer.finish();
}

/** Decodes a server's record; it never throws, whatever the bytes. An unknown status is read as `closed`. */
export function decodeServerInfo(bytes: Uint8Array): Decoded<ServerInfo> {
  return decodeFields(bytes, (reader) => {
    const server = {
      host: '',
      pid: 0,
      serverId: '',
      concurrency: 0,
      queues: Object.create(null) as Record<string, number>,
      strictPriority: false,
      status: 'closed' as ServerStatus,
      startedAt: epochMs(0),
      activeWorkerCount: 0,
      aggregates: undefined as readonly AggregatedGroups[] | undefined,
    };
    for (let next = reader.next(); next !== 0; next = reader.next()) {
      if (next === 0x0a) server.host = reader.string('host');
      else if (next === 0x10) server.pid = reader.int32();
      else if (next === 0x1a) server.serverId = reader.string('server_id');
      else if (next === 0x20) server.concurrency = reader.int32();
      else if (next === 0x2a) readPriority(reader, server.queues);
      else if (next === 0x30) server.strictPriority = reader.bool();
      else if (next === 0x3a) server.status = asStatus(reader.string('status'));
      else if (next === 0x42) server.startedAt = readTimestamp(reader) ?? epochMs(0);
      else if (next === 0x48) server.activeWorkerCount = reader.int32();
      else if (next === aggregatesTag) server.aggregates = readAggregates(reader);
      else reader.skip(next);
    }
    const { aggregates, ...known } = server;
    return aggregates === undefined ? known : { ...known, aggregates };
  });
}

/** Encodes a running task's record (P-105). */
export function encodeWorkerInfo(worker: WorkerInfo): Buffer {
  writer.start();
  writer.string(1, worker.host);
  writer.int(2, worker.pid);
  writer.string(3, worker.serverId);
  writer.string(4, worker.taskId);
  writer.string(5, worker.taskType);
  writer.bytes(6, worker.taskPayload);
  writer.string(7, worker.queue);
  writeTimestamp(writer, 8, worker.startedAt);
  writeTimestamp(writer, 9, worker.deadline);
  return writer.finish();
}

/** Decodes a running task's record; it never throws, whatever the bytes. The payload is a view of `bytes`. */
export function decodeWorkerInfo(bytes: Uint8Array): Decoded<WorkerInfo> {
  return decodeFields(bytes, (reader) => {
    const worker = {
      host: '',
      pid: 0,
      serverId: '',
      taskId: '',
      taskType: '',
      taskPayload: new Uint8Array(0) as Uint8Array,
      queue: '',
      startedAt: epochMs(0),
      deadline: epochMs(0),
    };
    for (let next = reader.next(); next !== 0; next = reader.next()) {
      if (next === 0x0a) worker.host = reader.string('host');
      else if (next === 0x10) worker.pid = reader.int32();
      else if (next === 0x1a) worker.serverId = reader.string('server_id');
      else if (next === 0x22) worker.taskId = reader.string('task_id');
      else if (next === 0x2a) worker.taskType = reader.string('task_type');
      else if (next === 0x32) worker.taskPayload = reader.bytes();
      else if (next === 0x3a) worker.queue = reader.string('queue');
      else if (next === 0x42) worker.startedAt = readTimestamp(reader) ?? epochMs(0);
      else if (next === 0x4a) worker.deadline = readTimestamp(reader) ?? epochMs(0);
      else reader.skip(next);
    }
    return worker;
  });
}

function readAggregates(reader: ProtoReader): readonly AggregatedGroups[] {
  const aggregates: AggregatedGroups[] = [];
  reader.embedded(() => {
    for (let next = reader.next(); next !== 0; next = reader.next()) {
      if (next === 0x0a) aggregates.push(readAggregatedGroups(reader));
      else reader.skip(next);
    }
  });
  return aggregates;
}

function readAggregatedGroups(reader: ProtoReader): AggregatedGroups {
  let queue = '';
  let prefix = '';
  reader.embedded(() => {
    for (let next = reader.next(); next !== 0; next = reader.next()) {
      if (next === 0x0a) queue = reader.string('queue');
      else if (next === 0x12) prefix = reader.string('prefix');
      else reader.skip(next);
    }
  });
  return { queue: queue === '' ? undefined : queue, prefix };
}

function readPriority(reader: ProtoReader, queues: Record<string, number>): void {
  reader.embedded(() => {
    let queue = '';
    let priority = 0;
    for (let next = reader.next(); next !== 0; next = reader.next()) {
      if (next === 0x0a) queue = reader.string('queues');
      else if (next === 0x10) priority = reader.int32();
      else reader.skip(next);
    }
    queues[queue] = priority;
  });
}

function asStatus(text: string): ServerStatus {
  return text === 'new' || text === 'active' || text === 'stopped' ? text : 'closed';
}
