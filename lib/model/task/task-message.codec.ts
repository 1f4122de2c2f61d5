import { UndecodableMessageError } from '../errors/task-errors.js';
import { ProtoReader } from '../wire/proto-reader.js';
import { ProtoWriter } from '../wire/proto-writer.js';
import type { Headers, TaskMessage } from './task-message.js';

/** The result of {@link decodeTaskMessage}. */
export type DecodedTaskMessage =
  | { readonly ok: true; readonly message: TaskMessage }
  | {
      readonly ok: false;
      /** A description of the problem, for people. */
      readonly reason: string;
      /** What could be read nevertheless; invalid UTF-8 is replaced by U+FFFD. */
      readonly salvaged: Partial<TaskMessage>;
    };

/** Field numbers and wire types of P-01, as they appear on the wire. */
const tag = {
  type: 0x0a,
  payload: 0x12,
  id: 0x1a,
  queue: 0x22,
  maxRetry: 0x28,
  retried: 0x30,
  errorMessage: 0x3a,
  timeout: 0x40,
  deadline: 0x48,
  uniqueKey: 0x52,
  lastFailedAt: 0x58,
  retention: 0x60,
  completedAt: 0x68,
  group: 0x72,
  headers: 0x7a,
} as const;

const writer = new ProtoWriter();

/**
 * Encodes a task message as Go does: fields in ascending order, defaults omitted (P-02). Lone surrogates in text become
 * U+FFFD, since Go refuses a record with invalid UTF-8.
 */
export function encodeTaskMessage(message: TaskMessage): Buffer {
  writer.start();
  writer.string(1, message.type);
  writer.bytes(2, message.payload);
  writer.string(3, message.id);
  writer.string(4, message.queue);
  writer.int(5, message.maxRetry);
  writer.int(6, message.retried);
  writer.string(7, message.errorMessage);
  writer.int(8, message.timeoutSeconds);
  writer.int(9, message.deadlineSeconds);
  writer.string(10, message.uniqueKey);
  writer.int(11, message.lastFailedAtSeconds);
  writer.int(12, message.retentionSeconds);
  writer.int(13, message.completedAtSeconds);
  writer.string(14, message.group);
  const { headers, unknownFields } = message;
  if (headers !== undefined) {
    for (const key of Object.keys(headers)) writer.stringPair(15, key, headers[key] as string);
  }
  if (unknownFields !== undefined) writer.raw(unknownFields);
  return writer.finish();
}

// Most tasks of a process have the same types and queues as the tasks before them.
let familiarType = '';
let familiarQueue = '';

/**
 * Decodes a task message; it never throws, whatever the bytes. The payload is a view of `bytes`, not a copy.
 *
 * As in Go, the last occurrence of a field wins, a field with a wrong wire type counts as unknown, and text that is not
 * valid UTF-8 makes the record undecodable. Unlike in Go, unknown fields are kept.
 */
export function decodeTaskMessage(bytes: Uint8Array): DecodedTaskMessage {
  const reader = new ProtoReader(bytes);
  let type = '';
  let payload: Uint8Array = emptyPayload;
  let id = '';
  let queue = '';
  let maxRetry = 0;
  let retried = 0;
  let errorMessage = '';
  let timeoutSeconds = 0;
  let deadlineSeconds = 0;
  let uniqueKey = '';
  let lastFailedAtSeconds = 0;
  let retentionSeconds = 0;
  let completedAtSeconds = 0;
  let group = '';
  let headers: Record<string, string> | undefined;
  let unknown: Buffer[] | undefined;
  let fault: string | undefined;
  try {
    for (let next = reader.next(); next !== 0; next = reader.next()) {
      switch (next) {
        case tag.type:
          type = familiarType = reader.familiarString('type', familiarType);
          break;
        case tag.payload:
          payload = reader.bytes();
          break;
        case tag.id:
          id = reader.string('id');
          break;
        case tag.queue:
          queue = familiarQueue = reader.familiarString('queue', familiarQueue);
          break;
        case tag.maxRetry:
          maxRetry = reader.int32();
          break;
        case tag.retried:
          retried = reader.int32();
          break;
        case tag.errorMessage:
          errorMessage = reader.string('error_msg');
          break;
        case tag.timeout:
          timeoutSeconds = reader.int64();
          break;
        case tag.deadline:
          deadlineSeconds = reader.int64();
          break;
        case tag.uniqueKey:
          uniqueKey = reader.string('unique_key');
          break;
        case tag.lastFailedAt:
          lastFailedAtSeconds = reader.int64();
          break;
        case tag.retention:
          retentionSeconds = reader.int64();
          break;
        case tag.completedAt:
          completedAtSeconds = reader.int64();
          break;
        case tag.group:
          group = reader.string('group_key');
          break;
        case tag.headers:
          headers ??= Object.create(null) as Record<string, string>;
          readHeader(reader, headers);
          break;
        default:
          (unknown ??= []).push(reader.skip(next));
      }
    }
    fault = reader.textFault;
  } catch (error) {
    if (!(error instanceof UndecodableMessageError)) throw error;
    fault = error.message;
  }
  const message: TaskMessage = {
    type,
    payload,
    id,
    queue,
    maxRetry,
    retried,
    errorMessage,
    timeoutSeconds,
    deadlineSeconds,
    uniqueKey,
    lastFailedAtSeconds,
    retentionSeconds,
    completedAtSeconds,
    group,
    headers,
    unknownFields: unknown === undefined ? undefined : Buffer.concat(unknown),
  };
  if (fault !== undefined) return { ok: false, reason: fault, salvaged: present(message) };
  return { ok: true, message };
}

const emptyPayload = Buffer.alloc(0);

function readHeader(reader: ProtoReader, headers: Record<string, string>): void {
  reader.embedded(() => {
    let key = '';
    let value = '';
    for (let next = reader.next(); next !== 0; next = reader.next()) {
      if (next === 0x0a) key = reader.string('headers');
      else if (next === 0x12) value = reader.string('headers');
      else reader.skip(next);
    }
    headers[key] = value;
  });
}

/** Returns the fields of a message that differ from their defaults. */
function present(message: TaskMessage): Partial<TaskMessage> {
  return Object.fromEntries(
    Object.entries(message).filter(([, value]: [string, TaskMessage[keyof TaskMessage]]) => isPresent(value)),
  );
}

function isPresent(value: string | number | Uint8Array | Headers | undefined): boolean {
  if (value === undefined || value === '' || value === 0) return false;
  return !(value instanceof Uint8Array) || value.length > 0;
}
