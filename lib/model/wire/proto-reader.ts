import { isUtf8 } from 'node:buffer';
import { UndecodableMessageError } from '../errors/task-errors.js';

/** The result of a decoder, which never throws on foreign bytes. */
export type Decoded<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly reason: string };

/**
 * Reads protobuf fields in place (P-06). Call `next` for the next tag, then the method for its value: `string`,
 * `bytes`, ..., or `skip` for an unexpected field, including a known one with a wrong wire type.
 *
 * Bytes that are not protobuf throw an {@link UndecodableMessageError}. Text that is not UTF-8 does not: the reader
 * records it in
 * {@link ProtoReader.textFault} and continues, so that the rest can be salvaged.
 */
export class ProtoReader {
  /** What is wrong with the first text field that is not valid UTF-8. */
  textFault: string | undefined = undefined;
  readonly #bytes: Buffer;
  #at: number;
  #end: number;
  #tagAt = 0;
  /** The two halves of the number read last. */
  #low = 0;
  #high = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = viewAsBuffer(bytes);
    this.#at = 0;
    this.#end = bytes.length;
  }

  /** Returns the next field's tag (number and wire type as they are on the wire); 0 at the end. */
  next(): number {
    if (this.#at >= this.#end) return 0;
    this.#tagAt = this.#at;
    this.#readVarint();
    // Field numbers have 29 bits and begin at 1; wire types 6 and 7 do not exist.
    if (this.#high !== 0 || this.#low < 8) throw new UndecodableMessageError('a field number is out of range');
    return this.#low;
  }

  /** Reads a `string`; `name` is the field's name for the fault. */
  string(name: string): string {
    const end = this.#lengthEnd();
    const start = this.#at;
    this.#at = end;
    return this.#text(name, start, end);
  }

  /**
   * Reads a `string` that is probably `likely`, without creating a second copy of it. It is meant for names that occur
   * again and again; `name` is the field's name for the fault.
   */
  familiarString(name: string, likely: string): string {
    const end = this.#lengthEnd();
    const start = this.#at;
    this.#at = end;
    if (end - start === likely.length && this.#isAscii(start, likely)) return likely;
    return this.#text(name, start, end);
  }

  /** Reads Reads `bytes`: a view, not a copy. */
  bytes(): Buffer {
    const end = this.#lengthEnd();
    const bytes = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return bytes;
  }

  /** Reads an `int32`, truncated to 32 bits as in Go. */
  int32(): number {
    this.#readVarint();
    return this.#low | 0;
  }

  /**
   * Reads an `int64`. A value that a JavaScript number cannot hold exactly becomes the nearest one that it can, ±(2^53
   * − 1): in seconds that is 285 million years, which makes no difference.
   */
  int64(): number {
    this.#readVarint();
    if (this.#high <= 0x1fffff) return this.#high * 2 ** 32 + this.#low;
    if (this.#high <= 0x7fffffff) return Number.MAX_SAFE_INTEGER;
    return Math.max((this.#high - 2 ** 32) * 2 ** 32 + this.#low, Number.MIN_SAFE_INTEGER);
  }

  /** Reads a `bool`: anything but zero is true. */
  bool(): boolean {
    this.#readVarint();
    return this.#low !== 0 || this.#high !== 0;
  }

  /** Reads an embedded message with `read`, which sees this reader limited to it. */
  embedded(read: (reader: ProtoReader) => void): void {
    const outerEnd = this.#end;
    this.#end = this.#lengthEnd();
    read(this);
    this.#at = this.#end;
    this.#end = outerEnd;
  }

  /** Skips the value of the tag that was read last; returns tag and value unchanged. */
  skip(tag: number): Buffer {
    this.#pass(tag);
    return this.#bytes.subarray(this.#tagAt, this.#at);
  }

  #pass(tag: number): void {
    switch (tag & 7) {
      case 0:
        return this.#readVarint();
      case 1:
        return this.#advance(8);
      case 2:
        this.#at = this.#lengthEnd();
        return;
      case 3:
        return this.#passGroup(tag);
      case 5:
        return this.#advance(4);
      default:
        throw new UndecodableMessageError('a field has a wire type that does not exist');
    }
  }

  /** Skips an old-style group with everything nested in it. */
  #passGroup(outerTag: number): void {
    const open = [outerTag];
    while (open.length > 0) {
      if (this.#at >= this.#end) throw truncated();
      this.#readVarint();
      const tag = this.#low;
      if (this.#high !== 0 || tag < 8) throw new UndecodableMessageError('a field number is out of range');
      if ((tag & 7) === 3) {
        if (open.length >= maxGroupDepth) throw new UndecodableMessageError('groups are nested too deeply');
        open.push(tag);
      } else if ((tag & 7) === 4) {
        if (open.pop() !== tag - 1) throw new UndecodableMessageError('a group ends that was not started');
      } else {
        this.#pass(tag);
      }
    }
  }

  #text(name: string, start: number, end: number): string {
    const bytes = this.#bytes;
    let index = start;
    if (end - start <= 64) while (index < end && (bytes[index] as number) < 128) index += 1;
    // ASCII is the common case, and this conversion is cheap.
    if (index === end) return bytes.toString('latin1', start, end);
    if (this.textFault === undefined && !isUtf8(bytes.subarray(start, end))) {
      this.textFault = `the text of field "${name}" is not valid UTF-8`;
    }
    return bytes.toString('utf8', start, end);
  }

  #isAscii(start: number, text: string): boolean {
    const bytes = this.#bytes;
    for (let index = 0; index < text.length; index += 1) {
      const code = text.charCodeAt(index);
      if (bytes[start + index] !== code || code > 127) return false;
    }
    return true;
  }

  /** Reads a length and returns the end of the data that it measures. */
  #lengthEnd(): number {
    this.#readVarint();
    const end = this.#at + this.#low;
    if (this.#high !== 0 || end > this.#end) throw truncated();
    return end;
  }

  #advance(count: number): void {
    this.#at += count;
    if (this.#at > this.#end) throw truncated();
  }

  #readVarint(): void {
    const first = this.#at < this.#end ? (this.#bytes[this.#at] as number) : this.#short();
    this.#at += 1;
    this.#high = 0;
    if (first < 128) {
      this.#low = first;
      return;
    }
    this.#readLongVarint(first & 127);
  }

  #readLongVarint(first: number): void {
    const bytes = this.#bytes;
    let low = first;
    let high = 0;
    for (let shift = 7; shift < 70; shift += 7) {
      if (this.#at >= this.#end) throw truncated();
      const byte = bytes[this.#at++] as number;
      if (shift === 63 && byte > 1) break;
      if (shift < 28) low |= (byte & 127) << shift;
      else if (shift === 28) {
        low |= (byte & 127) << 28;
        high = (byte & 127) >>> 4;
      } else high |= (byte & 127) << (shift - 32);
      if (byte < 128) {
        this.#low = low >>> 0;
        this.#high = high >>> 0;
        return;
      }
    }
    throw new UndecodableMessageError('a number has more than 64 bits');
  }

  #short(): never {
    throw truncated();
  }
}

/** Reads a whole message with `read`, and returns a fault in its bytes instead of throwing it. */
export function decodeFields<T>(bytes: Uint8Array, read: (reader: ProtoReader) => T): Decoded<T> {
  const reader = new ProtoReader(bytes);
  try {
    const value = read(reader);
    return reader.textFault === undefined ? { ok: true, value } : { ok: false, reason: reader.textFault };
  } catch (error) {
    if (!(error instanceof UndecodableMessageError)) throw error;
    return { ok: false, reason: error.message };
  }
}

// Go's limit for nested groups.
const maxGroupDepth = 10_000;

function truncated(): UndecodableMessageError {
  return new UndecodableMessageError('the record ends in the middle of a field');
}

/** Returns the same memory as a Buffer. */
function viewAsBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
