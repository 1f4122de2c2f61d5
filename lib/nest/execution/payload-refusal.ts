import { HttpException } from '@nestjs/common';
import { InvalidPayloadError, type PayloadIssue } from '../../model/errors/task-errors.js';

/**
 * Whether a pipe's error says that the payload is invalid: status 400 or 422, as `ValidationPipe` and the
 * `Parse...Pipe`s throw. Anything else, such as a lookup without a connection, may be different at the next run.
 */
export function isPayloadRefusal(error: unknown): error is HttpException {
  return error instanceof HttpException && [400, 422].includes(error.getStatus());
}

/** Returns the error with which the task is archived, with the issues that the pipe found. */
export function asInvalidPayload(error: unknown): unknown {
  if (!isPayloadRefusal(error)) return error;
  const messages = messagesOf(error.getResponse());
  const issues = messages.map((message): PayloadIssue => ({ message, path: [] }));
  const text = messages.length === 0 ? error.message : messages.join('; ');
  return new InvalidPayloadError(`the payload is not valid: ${text}`, issues, { cause: error });
}

function messagesOf(response: string | object): readonly string[] {
  if (typeof response === 'string') return [response];
  const message: unknown = 'message' in response ? response.message : undefined;
  if (typeof message === 'string') return [message];
  return Array.isArray(message) ? message.filter((line) => typeof line === 'string') : [];
}
