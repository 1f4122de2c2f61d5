import { array, assert, integer, oneof, property, string, uint8Array } from 'fast-check';
import type { RedisArgument } from '../../lib/redis/connection/redis-connection.js';
import { CommandEncoder } from '../../lib/redis/connection/command-encoder.js';

/** What a server reads: the parts of one command. */
function decode(bytes: Buffer): Buffer[] {
  let at = 0;
  const line = (kind: string): string => {
    const end = bytes.indexOf('\r\n', at);
    const text = bytes.toString('latin1', at, end);
    if (end === -1 || !text.startsWith(kind)) throw new Error(`No line that begins with "${kind}" at ${at}`);
    at = end + 2;
    return text.slice(kind.length);
  };
  const parts = Array.from({ length: Number(line('*')) }, () => {
    const length = Number(line('$'));
    const part = bytes.subarray(at, at + length);
    at += length;
    line('');
    return part;
  });
  if (at !== bytes.length) throw new Error(`${bytes.length - at} bytes too many`);
  return parts;
}

function bytesOf(argument: RedisArgument): Buffer {
  return Buffer.isBuffer(argument) ? argument : Buffer.from(String(argument));
}

describe('CommandEncoder', () => {
  const encoder = new CommandEncoder();

  it.each<[string, RedisArgument[]]>([
    ['no argument', []],
    ['empty ones', ['', Buffer.alloc(0)]],
    ['numbers', [0, -1, 1.5, 1_767_225_600_123, Number.MAX_SAFE_INTEGER]],
    ['text of 9, 10, 39 and 40 letters', ['a'.repeat(9), 'b'.repeat(10), 'c'.repeat(39), 'd'.repeat(40)]],
    ['letters of two, three and four bytes', ['ä', '語', '🦫', `${'x'.repeat(38)}ä`, '語'.repeat(50)]],
    ['line ends', ['\r\n', Buffer.from('a\r\nb')]],
    ['every byte', [Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))]],
    ['more than one piece of memory', [Buffer.alloc(300_000, 'x'), 'y'.repeat(300_000)]],
    ['many', Array.from({ length: 1_500 }, (_, index) => `argument ${index}`)],
  ])('writes %s as the protocol wants it', (_name, args) => {
    expect(decode(encoder.encode('evalsha', args))).toEqual([Buffer.from('evalsha'), ...args.map(bytesOf)]);
  });

  it('writes any arguments so that they are read back', () => {
    const argument = oneof(
      string({ unit: 'binary', maxLength: 60 }),
      integer(),
      uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
    );
    assert(
      property(array(argument), (args) => {
        expect(decode(encoder.encode('set', args)).slice(1)).toEqual(args.map(bytesOf));
      }),
    );
  });

  it('does not change what it wrote before', () => {
    // More than fits into the encoder's memory at once.
    const values = Array.from({ length: 200 }, (_, index) => Buffer.alloc(2_000, index));
    const commands = values.map((value) => encoder.encode('echo', [value]));
    expect(commands.map((bytes) => decode(bytes)[1])).toEqual(values);
  });
});
