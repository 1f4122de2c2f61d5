import { isUtf8 } from 'node:buffer';
import { AsynqError } from '../errors/asynq-error.js';
import { InvalidPayloadError, InvalidTaskError } from '../errors/task-errors.js';
import { isUnwantedPromise } from '../options/user-callback.js';
import { findJsonLoss, showLossPath } from './json-loss.js';

/**
 * Turns the user's payloads (and results) into bytes and back. JSON unless another one is given. Both sides of a
 * queue must use the same; Go programs see the bytes.
 *
 * @example
 * const msgpack: PayloadCodec = { encode: (value) => pack(value), decode: (bytes) => unpack(bytes) };
 * AsynqModule.forRoot({ codec: msgpack });
 */
export interface PayloadCodec {
  /** The bytes of a value; throws when it has none. Not asked for `undefined` and for values that are bytes already. */
  encode(value: unknown): Uint8Array;
  /** The value of some bytes; throws when they have none. */
  decode(bytes: Uint8Array): unknown;
}

/** UTF-8 JSON. No bytes at all, which is how Go writes a task without payload, are `undefined`. */
export const jsonCodec: PayloadCodec = {
  encode(value) {
    const json: string | undefined = JSON.stringify(value);
    if (json === undefined) throw new InvalidTaskError(`JSON has no form for a ${typeof value}`);
    return Buffer.from(json);
  },
  decode(bytes) {
    if (bytes.length === 0) return undefined;
    if (!isUtf8(bytes)) throw new InvalidPayloadError('the payload is not valid UTF-8, so it is no JSON');
    return JSON.parse(asText(bytes));
  },
};

/** What is encoded, for messages. */
export type Encoded = 'payload' | 'result';

/** JSON that refuses what it would lose without an error, such as a function or a Map. Reads as {@link jsonCodec} does. */
function strictJson(encoded: Encoded): PayloadCodec {
  return {
    encode(value) {
      const bytes = jsonCodec.encode(value);
      const loss = findJsonLoss(value);
      if (loss === undefined) return bytes;
      const place = showLossPath(loss, encoded);
      throw new InvalidTaskError(
        `JSON would lose ${loss.what} at ${place}; convert it, give it a toJSON, or set strictPayload to false`,
      );
    },
    decode: (bytes) => jsonCodec.decode(bytes),
  };
}

const strict = { payload: strictJson('payload'), result: strictJson('result') } as const;

/** The codec of who encodes: {@link jsonCodec} made strict unless `strictPayload` is off; any other one as it is. */
export function encodingCodec(
  codec: PayloadCodec,
  { strictPayload, encoded }: { readonly strictPayload: boolean; readonly encoded: Encoded },
): PayloadCodec {
  return strictPayload && codec === jsonCodec ? strict[encoded] : codec;
}

/** A task without payload. */
const nothing = Buffer.alloc(0);

/**
 * The bytes of a payload or result: a `Uint8Array` (a `Buffer`, too) as it is and not copied, nothing for `undefined`,
 * anything else as the codec says.
 *
 * @throws InvalidTaskError when the value does not encode; `cause` tells why.
 */
export function encodePayload(value: unknown, codec: PayloadCodec, encoded: Encoded = 'payload'): Uint8Array {
  if (value === undefined) return nothing;
  if (value instanceof Uint8Array) return value;
  refuseLookalikes(value, encoded);
  let bytes: unknown;
  try {
    bytes = codec.encode(value);
  } catch (error) {
    throw new InvalidTaskError(`the ${encoded} does not encode: ${messageOf(error)}`, { cause: error });
  }
  if (isUnwantedPromise(bytes)) {
    throw new InvalidTaskError(`the ${encoded} does not encode: the codec answered with a promise, not bytes`);
  }
  if (!(bytes instanceof Uint8Array)) {
    throw new InvalidTaskError(`the ${encoded} does not encode: the codec answered with ${typeof bytes}, not bytes`);
  }
  return bytes;
}

/**
 * The value of a stored payload or result.
 *
 * @throws InvalidPayloadError when the bytes do not decode; `cause` tells why.
 */
export function decodePayload(bytes: Uint8Array, codec: PayloadCodec, encoded: Encoded = 'payload'): unknown {
  let value: unknown;
  try {
    value = codec.decode(bytes);
  } catch (error) {
    if (error instanceof AsynqError) throw error;
    throw new InvalidPayloadError(`the ${encoded} does not decode: ${messageOf(error)}`, [], { cause: error });
  }
  if (!isUnwantedPromise(value)) return value;
  throw new InvalidPayloadError(`the ${encoded} does not decode: the codec answered with a promise, not a value`);
}

/** The same bytes as a `Buffer`; nothing is copied. */
export function bufferOf({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

/** Values that JSON would take without complaint and turn into `{}`, though the caller surely means their content. */
function refuseLookalikes(value: unknown, encoded: Encoded): void {
  if (value instanceof Promise) {
    throw new InvalidTaskError(`the ${encoded} does not encode: it is a promise, await it first`);
  }
  if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) {
    throw new InvalidTaskError(`the ${encoded} does not encode: give bytes as a Uint8Array or Buffer`);
  }
}

function asText(bytes: Uint8Array): string {
  return (Buffer.isBuffer(bytes) ? bytes : bufferOf(bytes)).toString();
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
