import { AsynqError } from '../../lib/model/errors/asynq-error.js';
import { InvalidOptionError } from '../../lib/model/errors/option-errors.js';
import { hideCredentials, parseRedisUrl } from '../../lib/redis/connection/redis-url.js';

const local = { host: 'localhost', port: 6379, db: 0 };

describe('a Redis URL', () => {
  it.each([
    ['redis://localhost:6379', local],
    ['redis://cache.example:6380/3', { host: 'cache.example', port: 6380, db: 3 }],
    ['redis://:secret@localhost:6379/7', { ...local, db: 7, password: 'secret' }],
    ['REDIS://localhost:6379', local],
    ['redis://localhost:6379/2/3', { ...local, db: 2 }],
    ['redis:///2', { ...local, db: 2 }],
    ['redis://:p%40ss%2F%3A%25@localhost', { ...local, password: 'p@ss/:%' }],
    ['redis://:a:b@c@localhost', { ...local, password: 'a:b@c' }],
    ['redis://[::1]:7000/1', { host: '::1', port: 7000, db: 1 }],
  ])('C-77 %s is a single node', (url, options) => {
    expect(parseRedisUrl(url)).toEqual(options);
  });

  it.each([
    ['redis://app:secret@localhost', { ...local, username: 'app', password: 'secret' }],
    ['redis://app@localhost', { ...local, username: 'app' }],
    ['redis://us%3Aer:secret@localhost', { ...local, username: 'us:er', password: 'secret' }],
    ['redis://cache', { ...local, host: 'cache' }],
    ['redis://[fd00::1]', { ...local, host: 'fd00::1' }],
    ['redis://localhost:6379/', local],
    ['redis://', local],
    ['redis://localhost?db=4', { ...local, db: 4 }],
    ['redis://localhost/4?db=4', { ...local, db: 4 }],
  ])('D-C9 %s has its user, the default port and its trailing slash honoured', (url, options) => {
    expect(parseRedisUrl(url)).toEqual(options);
  });

  it.each([
    ['valkey://app:secret@cache:1/2', 'redis://app:secret@cache:1/2'],
    ['valkeys://cache', 'rediss://cache'],
    ['unix://:secret@/run/r.sock?db=1', 'redis-socket://:secret@/run/r.sock?db=1'],
    ['unix:///run/r.sock', 'redis-socket:///run/r.sock'],
  ])('%s means %s', (url, same) => {
    expect(parseRedisUrl(url)).toEqual(parseRedisUrl(same));
  });

  it.each([
    ['redis://:57#Wc@prod:6379', 'encoded with encodeURIComponent'],
    ['redis://:a/b@h', 'encoded with encodeURIComponent'],
    ['redis://:a?b@h', 'encoded with encodeURIComponent'],
    ['rediss://u:a#b@h', 'encoded with encodeURIComponent'],
    ['redis-sentinel://:a/b@s1?master=m', 'encoded with encodeURIComponent'],
    ['redis-socket://:a/b@/run/r.sock', 'encoded with encodeURIComponent'],
    ['redis://:a#b', 'without #; in a password it is written %23'],
    ['redis://localhost:6379#x', 'without #'],
    ['redis://h?database=5', 'without the parameter database; it may have db, once'],
    ['redis://h?db=5&tls=true', 'without the parameter tls'],
    ['redis://h?db=5&db=6', 'without the parameter db; it may have db, once'],
    ['redis://h/4?db=5', 'a URL with one database'],
    ['redis://h?db=', 'a whole number as its database'],
    ['redis-socket:///p?timeout=1', 'without the parameter timeout'],
    ['redis-sentinel://s1?master=m&name=n', 'without the parameter name; it may have master and db, once'],
  ])('refuses %s, which would lead elsewhere', (url, message) => {
    expect(refusalOf(url).message).toContain(message);
  });

  it.each([
    ['rediss://:secret@cache.example:6380/1', 'cache.example'],
    ['rediss://localhost', 'localhost'],
  ])('C-79 %s checks the certificate for the bare host', (url, servername) => {
    expect(parseRedisUrl(url)).toMatchObject({ host: servername, tls: { servername } });
  });

  it.each([
    ['rediss://[fd00::1]:6380', 'fd00::1'],
    ['rediss://10.0.0.7', '10.0.0.7'],
  ])('C-79 %s names no server, because an address is none, and checks the address', (url, host) => {
    expect(parseRedisUrl(url)).toEqual({ host, port: url.endsWith('6380') ? 6380 : 6379, db: 0, tls: {} });
  });

  it.each([
    ['redis-socket:///run/redis.sock', { path: '/run/redis.sock', db: 0 }],
    ['redis-socket:///run/redis.sock?db=5', { path: '/run/redis.sock', db: 5 }],
    ['redis-socket://:secret@/run/redis.sock', { path: '/run/redis.sock', db: 0, password: 'secret' }],
    ['Redis-Socket://app:secret@/a%20b/c', { path: '/a b/c', db: 0, username: 'app', password: 'secret' }],
  ])('C-77 %s is a Unix socket', (url, options) => {
    expect(parseRedisUrl(url)).toEqual(options);
  });

  it.each([
    ['redis-sentinel://s1:26379,s2:26380/2?master=main', { db: 2 }],
    ['redis-sentinel://:secret@s1,s2:26380/2?master=main', { db: 2, sentinelPassword: 'secret' }],
    [
      'redis-sentinel://app:secret@s1,s2:26380?master=main',
      { db: 0, sentinelUsername: 'app', sentinelPassword: 'secret' },
    ],
    ['redis+sentinel://s1,s2:26380/?master=main', { db: 0 }],
  ])('C-77 C-80 %s is sentinels, with the password for them alone', (url, more) => {
    const sentinels = [
      { host: 's1', port: 26379 },
      { host: 's2', port: 26380 },
    ];
    expect(parseRedisUrl(url)).toEqual({ sentinels, name: 'main', ...more });
  });

  it.each([
    'http://localhost:6379',
    'localhost:6379',
    '',
    'redis:/localhost',
    'redis://localhost:6379/abc',
    'redis://localhost:6379/1,2,3',
    'redis://localhost:6379/-1',
    'redis://localhost:port',
    'redis://localhost:0',
    'redis://localhost:70000',
    'redis://::1:6379',
    'redis://[::1',
    'redis://:100%@localhost',
    'redis-socket://?db=one',
    'redis-socket:///p?db=one',
    'redis-socket://run/x.sock',
    'redis-sentinel://s1:x?master=main',
    'redis-sentinel://s1/abc?master=main',
    'redis-sentinel://s1',
    'redis-sentinel://s1?master=',
  ])('C-78 %s is refused', (url) => {
    expect(() => parseRedisUrl(url)).toThrow(InvalidOptionError);
  });

  it.each([
    ['redis://localhost:6379/abc', 'redis must be a URL with a whole number as its database'],
    ['redis://localhost:x', 'redis must be a URL with a port from 1 to 65535'],
    ['redis-sentinel://s1', 'redis must be a URL that names the master: ...?master=mymaster'],
    [
      'redis-socket://run/x.sock',
      'redis must be a URL with an absolute socket path: redis-socket:///path/to/redis.sock',
    ],
  ])('C-78 says what is wrong with %s', (url, message) => {
    expect(() => parseRedisUrl(url)).toThrow(`${message}, got "${url}"`);
  });

  it.each([
    'redis://app:hunter2@localhost/abc',
    'redis://:hunter2@localhost:port',
    'redis://:hunter2%@localhost',
    'redis://:a/hunter2@localhost',
    'ftp://app:hunter2@localhost',
    'app:hunter2@localhost',
    'redis-sentinel://:hunter2@s1',
    'redis-socket://:hunter2@run/x',
  ])('never shows the password of %s', (url) => {
    const error = refusalOf(url);
    expect(error.message).not.toContain('hunter2');
    expect(JSON.stringify(error)).not.toContain('hunter2');
    expect(error.message).toContain('***@');
  });

  it('names the option that has the URL', () => {
    expect(() => parseRedisUrl('x', 'AsynqModule: redis')).toThrow(/^AsynqModule: redis must be a URL/);
  });

  it('shows a URL without user and password', () => {
    expect(hideCredentials('redis://a:b@c:1/2')).toBe('redis://***@c:1/2');
    expect(hideCredentials('redis://c:1/2')).toBe('redis://c:1/2');
  });
});

function refusalOf(url: string): AsynqError {
  try {
    parseRedisUrl(url);
  } catch (error) {
    return error as AsynqError;
  }
  throw new Error(`${url} was not refused`);
}
