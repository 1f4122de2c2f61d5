import { inspect } from 'node:util';
import { AsynqError } from '../errors/asynq-error.js';

/** The longest error text that is stored with a task, in bytes of UTF-8. */
const maxErrorBytes = 65_536;

// Go's wrapped errors rarely nest deeper, and nobody reads a longer chain.
const maxCauses = 10;

/**
 * The text that is stored for whatever a handler threw: an error's message followed by those of its causes, else the
 * value as a person would write it. Never empty, never longer than {@link maxErrorBytes}, always valid Unicode,
 * and never throwing, whatever the value does when it is looked at.
 */
export function describeError(error: unknown): string {
  return cut(describe(error));
}

function describe(error: unknown): string {
  if (typeof error === 'string') return error === '' ? 'the handler threw an empty string' : shorten(error);
  const message = messageOf(error);
  if (message === undefined) return `the handler threw ${show(error)}`;
  // Our own texts are complete, and Asynq's tools match some of them (docs/protocol/retries-and-archive.md).
  if (error instanceof AsynqError) return message;
  let text = message;
  let cause = readProperty(error, 'cause');
  for (let depth = 0; depth < maxCauses && cause !== undefined; depth += 1) {
    const inner = typeof cause === 'string' ? shorten(cause) : messageOf(cause);
    if (inner !== undefined && !text.includes(inner)) text += `: ${inner}`;
    cause = readProperty(cause, 'cause');
  }
  return text;
}

/**
 * Returns an error's message, or its name if that is empty; `undefined` for other values. Errors of other realms count.
 */
function messageOf(error: unknown): string | undefined {
  const message = readProperty(error, 'message');
  if (typeof message !== 'string') return undefined;
  if (message !== '') return shorten(message);
  const name = readProperty(error, 'name');
  return typeof name === 'string' && name !== '' ? shorten(name) : 'an error without a message';
}

function show(value: unknown): string {
  try {
    return inspect(value, { depth: 2, maxArrayLength: 20, maxStringLength: 1_000, customInspect: false });
  } catch {
    return `a value of type ${typeof value} that cannot be shown`;
  }
}

function readProperty(value: unknown, name: string): unknown {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return undefined;
  try {
    return (value as Readonly<Record<string, unknown>>)[name];
  } catch {
    return undefined;
  }
}

/** Keeps a text of many megabytes from being copied and searched; it is cut properly later. */
function shorten(text: string): string {
  return text.length > maxErrorBytes + 1 ? text.slice(0, maxErrorBytes + 1) : text;
}

const ending = ' [cut]';

/** Returns the text as valid Unicode, cut between two characters if it has too many bytes. */
function cut(text: string): string {
  // A lone surrogate becomes U+FFFD on the way through UTF-8.
  const bytes = Buffer.from(text);
  if (bytes.length <= maxErrorBytes) return bytes.toString();
  let end = maxErrorBytes - ending.length;
  while (((bytes[end] as number) & 0xc0) === 0x80) end -= 1;
  return bytes.toString('utf8', 0, end) + ending;
}

/** Returns the stack of an error and of its cause; `undefined` if there is none. */
export function stackOfError(error: unknown): string | undefined {
  const stack = readProperty(error, 'stack');
  if (typeof stack !== 'string' || stack === '') return undefined;
  const cause = readProperty(readProperty(error, 'cause'), 'stack');
  return shorten(typeof cause === 'string' && cause !== '' ? `${stack}\nCaused by: ${cause}` : stack);
}

/** Returns the name of an error's class; `Error` if it has none. */
export function nameOfError(error: unknown): string {
  const name = readProperty(error, 'name');
  return typeof name === 'string' && name !== '' ? name : 'Error';
}
