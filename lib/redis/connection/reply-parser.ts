import { InternalError } from '../../model/errors/asynq-error.js';
import type { RedisReply } from './redis-connection.js';
import { ReplyError } from './reply-errors.js';

const carriageReturn = 13;
const dollar = 36;
const asterisk = 42;
const plus = 43;
const minus = 45;
const colon = 58;
const zero = 48;
const incomplete = Symbol('incomplete');

type Parsed = RedisReply | ReplyError;

/**
 * Parses the server's replies (protocol version 2) from pieces of any size. ioredis' decoder keeps its state in
 * WeakMaps, which makes it five times slower (bench/command-encoding.mjs).
 */
export class ReplyParser {
  /** The bytes to parse: the filled part of the store. */
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;
  /** Unparsed bytes, with room for more. Replies are views into it, so filled bytes never change. */
  #store: Buffer = this.#bytes;
  #size = 0;
  #hasRoom = false;
  /** How many bytes are needed before parsing can continue. */
  #needed = 0;
  /** An error inside an array: it becomes the whole reply. */
  #innerError: ReplyError | undefined;

  /** Parses a piece. @throws InternalError when the bytes are not replies; nothing can be parsed after that. */
  push(piece: Buffer, onReply: (reply: Parsed) => void): void {
    this.#append(piece);
    if (this.#size < this.#needed) return;
    this.#bytes = this.#store.subarray(0, this.#size);
    this.#at = 0;
    let read = 0;
    while (this.#at < this.#size) {
      this.#needed = 0;
      this.#innerError = undefined;
      const reply = this.#read();
      if (reply === incomplete) break;
      read = this.#at;
      onReply(this.#innerError ?? reply);
    }
    this.#needed -= read;
    if (read === 0) return;
    this.#store = this.#bytes.subarray(read);
    this.#size = this.#store.length;
    this.#hasRoom = false;
  }

  /** Appends a piece. For long replies the store doubles, so that all pieces together are copied at most twice. */
  #append(piece: Buffer): void {
    if (this.#size === 0) {
      this.#store = piece;
      this.#size = piece.length;
      this.#hasRoom = false;
      return;
    }
    const size = this.#size + piece.length;
    if (!this.#hasRoom || size > this.#store.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(size, 2 * this.#size));
      larger.set(this.#size === this.#store.length ? this.#store : this.#store.subarray(0, this.#size));
      this.#store = larger;
      this.#hasRoom = true;
    }
    this.#store.set(piece, this.#size);
    this.#size = size;
  }

  #read(): Parsed | typeof incomplete {
    const kind = this.#bytes[this.#at++];
    switch (kind) {
      case dollar:
        return this.#readBytes();
      case colon:
        return this.#readNumber();
      case asterisk:
        return this.#readArray();
      case plus:
        return this.#readLine();
      case minus: {
        const line = this.#readLine();
        return line === incomplete ? incomplete : new ReplyError(String(line));
      }
      case undefined:
      default:
        throw new InternalError(`Redis sent a reply of an unknown kind: ${kind}`);
    }
  }

  #readBytes(): Parsed | typeof incomplete {
    const length = this.#readNumber();
    if (length === incomplete || length < 0) return length === incomplete ? incomplete : null;
    const start = this.#at;
    const end = start + length;
    if (end + 2 > this.#bytes.length) {
      this.#needed = end + 2;
      return incomplete;
    }
    this.#at = end + 2;
    return this.#bytes.subarray(start, end);
  }

  #readArray(): Parsed | typeof incomplete {
    const length = this.#readNumber();
    if (length === incomplete || length < 0) return length === incomplete ? incomplete : null;
    const items: RedisReply[] = [];
    for (let index = 0; index < length; index++) {
      if (this.#at >= this.#bytes.length) return incomplete;
      const item = this.#read();
      if (item === incomplete) return incomplete;
      if (item instanceof ReplyError) this.#innerError ??= item;
      else items.push(item);
    }
    return items;
  }

  #readNumber(): number | typeof incomplete {
    const bytes = this.#bytes;
    let at = this.#at;
    const isNegative = bytes[at] === minus;
    if (isNegative) at++;
    let number = 0;
    for (let byte = bytes[at]; byte !== carriageReturn; byte = bytes[++at]) {
      if (byte === undefined) return incomplete;
      number = number * 10 + (byte - zero);
    }
    if (at + 1 >= bytes.length) return incomplete;
    this.#at = at + 2;
    return isNegative ? -number : number;
  }

  #readLine(): Buffer | typeof incomplete {
    const end = this.#bytes.indexOf('\r\n', this.#at);
    if (end === -1) return incomplete;
    const line = this.#bytes.subarray(this.#at, end);
    this.#at = end + 2;
    return line;
  }
}
