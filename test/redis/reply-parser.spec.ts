import { array, assert, constant, integer, letrec, maxSafeInteger, oneof, property, uint8Array } from 'fast-check';
import type { RedisReply } from '../../lib/redis/connection/redis-connection.js';
import { ReplyError } from '../../lib/redis/connection/reply-errors.js';
import { ReplyParser } from '../../lib/redis/connection/reply-parser.js';

/** A reply as a server writes it. */
function encode(reply: RedisReply): Buffer {
  if (reply === null) return Buffer.from('$-1\r\n');
  if (typeof reply === 'number') return Buffer.from(`:${reply}\r\n`);
  if (Buffer.isBuffer(reply)) return Buffer.concat([Buffer.from(`$${reply.length}\r\n`), reply, Buffer.from('\r\n')]);
  return Buffer.concat([Buffer.from(`*${reply.length}\r\n`), ...reply.map(encode)]);
}

/** What a parser reads out of bytes that come in pieces of the given sizes, over and over. */
function parse(bytes: Buffer, sizes: readonly number[] = [bytes.length]): (RedisReply | ReplyError)[] {
  const parser = new ReplyParser();
  const replies: (RedisReply | ReplyError)[] = [];
  for (let at = 0, piece = 0; at < bytes.length; piece++) {
    const end = at + (sizes[piece % sizes.length] as number);
    parser.push(Buffer.from(bytes.subarray(at, end)), (reply) => replies.push(reply));
    at = end;
  }
  return replies;
}

describe('ReplyParser', () => {
  it.each<[string, RedisReply | ReplyError]>([
    ['+OK\r\n', Buffer.from('OK')],
    [':0\r\n', 0],
    [':-42\r\n', -42],
    [':9007199254740991\r\n', Number.MAX_SAFE_INTEGER],
    ['$0\r\n\r\n', Buffer.alloc(0)],
    ['$4\r\n\r\n\r\n\r\n', Buffer.from('\r\n\r\n')],
    ['$-1\r\n', null],
    ['*-1\r\n', null],
    ['*0\r\n', []],
    ['*2\r\n*1\r\n:1\r\n$-1\r\n', [[1], null]],
    ['*1\r\n+OK\r\n', [Buffer.from('OK')]],
    ['-WRONGTYPE it is\r\n', new ReplyError('WRONGTYPE it is')],
    ['*2\r\n:1\r\n*1\r\n-ERR inside\r\n', new ReplyError('ERR inside')],
  ])('reads %j', (text, reply) => {
    expect(parse(Buffer.from(text))).toEqual([reply]);
    expect(parse(Buffer.from(text), [1])).toEqual([reply]);
  });

  it('reads any replies, in whatever pieces they come', () => {
    const { reply } = letrec<{ reply: RedisReply }>((tie) => ({
      reply: oneof(
        { maxDepth: 3 },
        constant(null),
        integer(),
        maxSafeInteger(),
        uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
        array(tie('reply'), { maxLength: 6 }),
      ),
    }));
    assert(
      property(array(reply), array(integer({ min: 1, max: 30 }), { minLength: 1 }), (replies, sizes) => {
        expect(parse(Buffer.concat(replies.map(encode)), sizes)).toEqual(replies);
      }),
    );
  });

  it('continues after an error', () => {
    expect(parse(Buffer.from('-ERR a\r\n*1\r\n-ERR b\r\n:1\r\n'))).toEqual([
      new ReplyError('ERR a'),
      new ReplyError('ERR b'),
      1,
    ]);
  });

  it('reads a reply of some megabytes that comes in small pieces', () => {
    const message = Buffer.alloc(8 * 1024 * 1024, 'm');
    const [reply, after] = parse(Buffer.concat([encode([1, message]), encode(2)]), [64 * 1024, 1_000]);
    expect((reply as Buffer[])[1]?.equals(message)).toBe(true);
    expect(after).toBe(2);
  });

  it('refuses bytes that are not a reply', () => {
    expect(() => parse(Buffer.from('HTTP/1.1 400 Bad Request\r\n'))).toThrow(
      'Redis sent a reply of an unknown kind: 72',
    );
  });
});
