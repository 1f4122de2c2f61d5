import { isUtf8 } from 'node:buffer';
import { AsynqError } from '../errors/asynq-error.js';
import { InvalidPayloadError, InvalidTaskError } from '../errors/task-errors.js';
import { isUnwantedPromise } from '../options/user-callback.js';
import { findJsonLoss, showLossPath } from './json-loss.js';

/**
 * Turns the user's payloads (and results) into bytes and back. The default is JSON. Both sides of a queue must use the
 * same codec; Go programs see the bytes.
 *
 * @example
 * const msgpack: PayloadCodec = { encode: (value) => pack(value), decode: (bytes) => unpack(bytes) };
 * AsynqModule.forRoot({ codec: msgpack });
 */
export interface PayloadCodec {
  /**
   * Encodes a value; throws if that is impossible. Not called for `undefined` and for values that are already bytes.
   */
  encode(value: unknown): Uint8Array;
  /** Decodes bytes; throws if that is impossible. */
  decode(bytes: Uint8Array): unknown;
}

/** UTF-8 JSON. An empty payload, which is how Go writes a task without payload, decodes to `undefined`. */
export const jsonCodec: PayloadCodec = {
  encode(value) {
    const json: string | undefined = JSON.stringify(value);
    if (json === undefined) throw new InvalidTaskError(`JSON cannot represent a ${typeof value}`);
    return Buffer.from(json);
  },
  decode(bytes) {
    if (bytes.length === 0) return undefined;
    if (!isUtf8(bytes)) throw new InvalidPayloadError('the payload is not valid UTF-8, so it is not JSON');
    return JSON.parse(asText(bytes));
  },
};

/** What is encoded, for messages. */
export type Encoded = 'payload' | 'result';

/** JSON that refuses values it would silently lose, such as a function or a Map. Decodes like {@link jsonCodec}. */
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

/**
 * Returns the codec for encoding: a strict {@link jsonCodec} unless `strictPayload` is off; any other codec unchanged.
 */
export function encodingCodec(
  codec: PayloadCodec,
  { strictPayload, encoded }: { readonly strictPayload: boolean; readonly encoded: Encoded },
): PayloadCodec {
  return strictPayload && codec === jsonCodec ? strict[encoded] : codec;
}

/** A task without payload. */
const nothing = Buffer.alloc(0);

/**
 * Encodes a payload or result: a `Uint8Array` (including a `Buffer`) is returned as it is without copying, `undefined`
 * becomes no bytes, and anything else goes through the codec.
 *
 * @throws InvalidTaskError when the value cannot be encoded; `cause` says why.
 */
export function encodePayload(value: unknown, codec: PayloadCodec, encoded: Encoded = 'payload'): Uint8Array {
  if (value === undefined) return nothing;
  if (value instanceof Uint8Array) return value;
  refuseLookalikes(value, encoded);
  let bytes: unknown;
  try {
    bytes = codec.encode(value);
  } catch (error) {
    throw new InvalidTaskError(`the ${encoded} cannot be encoded: ${messageOf(error)}`, { cause: error });
  }
  if (isUnwantedPromise(bytes)) {
    throw new InvalidTaskError(`the ${encoded} cannot be encoded: the codec returned a promise, not bytes`);
  }
  if (!(bytes instanceof Uint8Array)) {
    throw new InvalidTaskError(`the ${encoded} cannot be encoded: the codec returned ${typeof bytes}, not bytes`);
  }
  return bytes;
}

/**
 * Decodes a stored payload or result.
 *
 * @throws InvalidPayloadError when the bytes do not decode; `cause` says why.
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
  throw new InvalidPayloadError(`the ${encoded} does not decode: the codec returned a promise, not a value`);
}

/** Returns the same bytes as a `Buffer` without copying. */
export function bufferOf({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

/** Refuses values that JSON would silently turn into `{}`, although the caller surely means their content. */
function refuseLookalikes(value: unknown, encoded: Encoded): void {
  if (value instanceof Promise) {
    throw new InvalidTaskError(`the ${encoded} cannot be encoded: it is a promise; await it first`);
  }
  if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) {
    throw new InvalidTaskError(`the ${encoded} cannot be encoded: pass bytes as a Uint8Array or Buffer`);
  }
}

function asText(bytes: Uint8Array): string {
  return (Buffer.isBuffer(bytes) ? bytes : bufferOf(bytes)).toString();
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
