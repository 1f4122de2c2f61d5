import { InternalError } from '../../model/errors/asynq-error.js';
import { showValue } from '../../model/errors/option-errors.js';
import type { RedisReply } from './redis-connection.js';

/** Returns a reply that must be an array. @throws InternalError when it is something else. */
export function listReply(reply: RedisReply | undefined): readonly RedisReply[] {
  if (typeof reply === 'object' && reply !== null && !Buffer.isBuffer(reply)) return reply;
  throw unexpected('an array', reply);
}

/** Returns a reply that must be a string, as bytes. @throws InternalError when it is something else. */
export function bytesReply(reply: RedisReply | undefined): Buffer {
  if (Buffer.isBuffer(reply)) return reply;
  throw unexpected('a string', reply);
}

/** Returns a reply that must be a string, as text. @throws InternalError when it is something else. */
export function textReply(reply: RedisReply | undefined): string {
  return bytesReply(reply).toString();
}

/** Returns a reply that must be a whole number, possibly as text. @throws InternalError when it is something else. */
export function numberReply(reply: RedisReply | undefined): number {
  return typeof reply === 'number' ? reply : Number(textReply(reply));
}

function unexpected(wanted: string, reply: RedisReply | undefined): InternalError {
  return new InternalError(`Redis must reply with ${wanted}, got ${showValue(reply)}`);
}
