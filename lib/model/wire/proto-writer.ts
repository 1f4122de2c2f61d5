/**
 * Writes protobuf fields (P-02). One writer serves a whole module: `start`, the fields in ascending order, `finish`.
 * Fields with their default value are omitted, as in proto3.
 *
 * Hand-written for speed (bench/micro/task-message.mjs): messages are written one after the other into a slab, so a
 * message costs one small allocation, its view, and no copy.
 */
export class ProtoWriter {
  #slab = Buffer.allocUnsafeSlow(slabSize);
  /** Where the message being written begins. */
  #begin = 0;
  /** Where the next byte goes. */
  #at = 0;

  /** Starts a new message; an unfinished one is discarded. */
  start(): this {
    this.#at = this.#begin;
    return this;
  }

  /** Finishes the message and returns its bytes. */
  finish(): Buffer {
    const bytes = this.#slab.subarray(this.#begin, this.#at);
    this.#begin = this.#at;
    // A slab allocated for one long message must not be kept alive by the short ones that follow.
    if (this.#slab.length > slabSize) this.#renew(slabSize);
    return bytes;
  }

  /** Writes a `string` field. A lone surrogate becomes U+FFFD, so the output is always valid UTF-8. */
  string(field: number, text: string): void {
    if (text !== '') this.#text(field, text);
  }

  /** Writes a `string` field of a list, where an empty string counts. */
  stringItem(field: number, text: string): void {
    this.#text(field, text);
  }

  /** Writes a `bytes` field. */
  bytes(field: number, bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#reserve(bytes.length + 2 * maxVarintBytes);
    this.#varint(tagOf(field, lengthDelimited));
    this.#varint(bytes.length);
    this.#slab.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  /** Writes an `int32` or `int64` field: a safe integer; a negative one takes ten bytes. */
  int(field: number, value: number): void {
    if (value === 0) return;
    this.#reserve(2 * maxVarintBytes);
    this.#varint(tagOf(field, varint));
    this.#varint(value);
  }

  /** Writes a `bool` field. */
  bool(field: number, value: boolean): void {
    if (value) this.int(field, 1);
  }

  /** Writes one pair of a `map<string, string>` field; both halves are written even if empty, as in Go. */
  stringPair(field: number, key: string, value: string): void {
    const body = this.#open(field);
    this.#text(1, key);
    this.#text(2, value);
    this.#close(body);
  }

  /** Writes one pair of a `map<string, int32>` field; both halves are written even if empty, as in Go. */
  intPair(field: number, key: string, value: number): void {
    const body = this.#open(field);
    this.#text(1, key);
    this.#reserve(2 * maxVarintBytes);
    this.#varint(tagOf(2, varint));
    this.#varint(value);
    this.#close(body);
  }

  /** Writes a `Timestamp` field. It is always written, since older readers treat its absence as damage (P-15). */
  timestamp(field: number, seconds: number, nanos: number): void {
    const body = this.#open(field);
    this.int(1, seconds);
    this.int(2, nanos);
    this.#close(body);
  }

  /** Writes an embedded message with the fields that `write` writes, even if there are none. */
  embedded(field: number, write: () => void): void {
    const body = this.#open(field);
    write();
    this.#close(body);
  }

  /** Writes fields that are already encoded. */
  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#slab.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  /** Starts an embedded message and reserves one byte for its length; returns where its body begins. */
  #open(field: number): number {
    this.#reserve(2 * maxVarintBytes);
    this.#varint(tagOf(field, lengthDelimited));
    this.#at += 1;
    return this.#at - this.#begin;
  }

  /** Ends an embedded message: its length goes before its body, which is moved if the length needs more bytes. */
  #close(bodyOffset: number): void {
    const length = this.#at - this.#begin - bodyOffset;
    const extra = varintSize(length) - 1;
    this.#reserve(extra);
    const body = this.#begin + bodyOffset;
    if (extra > 0) this.#slab.copyWithin(body + extra, body, body + length);
    this.#at = body - 1;
    this.#varint(length);
    this.#at += length;
  }

  #text(field: number, text: string): void {
    const { length } = text;
    this.#reserve(3 * length + 2 * maxVarintBytes);
    this.#varint(tagOf(field, lengthDelimited));
    if (length < 128 && this.#shortAscii(text)) return;
    this.#varint(Buffer.byteLength(text));
    this.#at += this.#slab.write(text, this.#at, 'utf8');
  }

  /** Writes a text of fewer than 128 ASCII characters; for any other it does nothing and returns `false`. */
  #shortAscii(text: string): boolean {
    const slab = this.#slab;
    const { length } = text;
    const body = this.#at + 1;
    for (let index = 0; index < length; index += 1) {
      const code = text.charCodeAt(index);
      if (code > 127) return false;
      slab[body + index] = code;
    }
    slab[this.#at] = length;
    this.#at = body + length;
    return true;
  }

  #varint(value: number): void {
    const slab = this.#slab;
    if (value >= 0 && value <= 0x7fffffff) {
      let rest = value;
      while (rest > 127) {
        slab[this.#at++] = (rest & 127) | 128;
        rest >>>= 7;
      }
      slab[this.#at++] = rest;
      return;
    }
    // Two's complement of 64 bits in two halves.
    let low = value >>> 0;
    let high = Math.floor(value / 2 ** 32) >>> 0;
    while (high !== 0 || low > 127) {
      slab[this.#at++] = (low & 127) | 128;
      low = ((low >>> 7) | (high << 25)) >>> 0;
      high >>>= 7;
    }
    slab[this.#at++] = low;
  }

  /** Makes room for `size` more bytes of this message. */
  #reserve(size: number): void {
    if (this.#at + size <= this.#slab.length) return;
    const written = this.#slab.subarray(this.#begin, this.#at);
    const needed = written.length + size;
    // Doubling keeps a message of many long parts from being copied at each of them.
    this.#renew(needed <= slabSize ? slabSize : 2 * needed);
    this.#slab.set(written, 0);
    this.#at = written.length;
  }

  #renew(size: number): void {
    this.#slab = Buffer.allocUnsafeSlow(size);
    this.#begin = 0;
    this.#at = 0;
  }
}

// Small enough that one long-lived message does not keep much memory of others alive.
const slabSize = 16_384;
const maxVarintBytes = 10;
const varint = 0;
const lengthDelimited = 2;

function tagOf(field: number, wireType: number): number {
  return (field << 3) | wireType;
}

function varintSize(value: number): number {
  let size = 1;
  for (let rest = value; rest > 127; rest = Math.floor(rest / 128)) size += 1;
  return size;
}
