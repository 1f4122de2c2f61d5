import { join } from 'node:path';
import type { RunningRedisServer } from '../../scripts/redis-server.mjs';
import { freePort } from '../../scripts/redis-server.mjs';
import {
  BrokerCommandError,
  BrokerUnavailableError,
  UnsupportedRedisError,
} from '../../lib/model/errors/broker-errors.js';
import type { RedisOption } from '../../lib/redis/connection/redis-option.js';
import { checkVersion } from '../../lib/redis/connection/server-info.js';
import { selfSignedCertificate } from '../support/certificate.js';
import { aConnection, aWait, closeConnections } from '../support/connections.js';
import { startRedis } from '../support/redis-server.js';
import { until } from '../support/until.js';

describe('a RedisConnection and access to the server', () => {
  const certificate = selfSignedCertificate('localhost');
  let tlsPort: number;
  let server: RunningRedisServer;

  beforeAll(async () => {
    tlsPort = await freePort();
    server = await startRedis({
      password: 'default secret',
      acl: [
        'app on >p@ss/:% ~* &* +@all',
        'blind on >secret ~* &* +@all -info',
        'mute on >secret ~* resetchannels +@all',
      ],
      args: ['--unixsocket', 'redis.sock'],
      tls: { port: tlsPort, certificate },
    });
  });

  afterEach(closeConnections);

  afterAll(() => server.stop());

  const at = (login: string): string => `redis://${login}@127.0.0.1:${server.port}`;

  async function whoAmI(option: RedisOption): Promise<string> {
    const connection = aConnection(option);
    await connection.open();
    return String(await connection.send('acl', ['WHOAMI']));
  }

  it('logs in with a password', async () => {
    expect(await whoAmI(at(':default%20secret'))).toBe('default');
  });

  it('D-C9 logs in with a user name and a password of its own', async () => {
    expect(await whoAmI(at('app:p%40ss%2F%3A%25'))).toBe('app');
    expect(await whoAmI({ port: server.port, username: 'app', password: 'p@ss/:%' })).toBe('app');
  });

  it('uses the database of the URL on every connection', async () => {
    const connection = aConnection(`${at('app:p%40ss%2F%3A%25')}/3`);
    const waiting = connection.sendBlocking(aWait('list in 3'));
    await connection.send('lpush', ['list in 3', 'element']);
    expect(String(await waiting)).toBe('element');
    expect(String(await connection.send('client', ['INFO']))).toContain(' db=3 ');
  });

  it.each([
    ['a wrong password', 'app:wrong', 'WRONGPASS'],
    ['an unknown user', 'nobody:secret', 'WRONGPASS'],
    ['no password', '', 'NOAUTH'],
  ])('says at once that the server refuses %s', async (_name, login, reply) => {
    const connection = aConnection(login === '' ? `redis://127.0.0.1:${server.port}` : at(login));
    const start = performance.now();
    const failure = await connection.open().catch((error: unknown) => error);
    expect(performance.now() - start).toBeLessThan(5_000);
    expect(failure).toBeInstanceOf(BrokerCommandError);
    expect(failure).toMatchObject({ cause: { name: 'ReplyError' } });
    const { message } = failure as Error;
    expect(message).toContain(`Redis at 127.0.0.1:${server.port} refuses the connection: ${reply}`);
    expect(message).not.toContain('wrong:');
  });

  it('refuses a database that the server does not have, rather than use another', async () => {
    const connection = aConnection(`${at('app:p%40ss%2F%3A%25')}/9999`);
    await expect(connection.open()).rejects.toThrow(/refuses the connection: ERR DB index is out of range/);
  });

  it('opens once the user has been granted access', async () => {
    const late = aConnection(at('late:secret'), { commandTimeout: '20s' });
    const waiting = late.send('ping', []);
    await expect(late.open()).rejects.toThrow(/WRONGPASS/);
    await aConnection(at('app:p%40ss%2F%3A%25')).send('acl', ['SETUSER', 'late', 'on', '>secret', '~*', '&*', '+@all']);
    expect(String(await waiting)).toBe('PONG');
    await until('it opens', () => late.open().then(() => true));
  });

  it('finds the version in another way when INFO is not allowed, or does without it', async () => {
    const warnings: string[] = [];
    const warn = (message: string): void => void warnings.push(message);
    await aConnection(at('blind:secret'), { warn }).open();
    expect(warnings).toEqual([]);
    const acl = ['blind on >secret ~* &* +@all -info'];
    const silent = await startRedis({ acl, args: ['--rename-command', 'HELLO', 'NOHELLO'] });
    const connection = aConnection({ port: silent.port, username: 'blind', password: 'secret' }, { warn });
    await connection.open();
    expect(warnings).toEqual([expect.stringContaining('does not reveal its version')]);
    await silent.stop();
  });

  it('does without INFO, CLIENT, CONFIG and KEYS when they are renamed away', async () => {
    const renamed = ['INFO', 'CLIENT', 'CONFIG', 'KEYS'].flatMap((name) => ['--rename-command', name, '']);
    for (const more of [[], ['--rename-command', 'HELLO', '']]) {
      const server = await startRedis({ args: [...renamed, ...more] });
      const warnings: string[] = [];
      const connection = aConnection(server.url, { warn: (message) => void warnings.push(message) });
      await connection.open();
      expect(warnings).toHaveLength(more.length === 0 ? 0 : 1);
      const end = new AbortController();
      const waiting = connection.sendBlocking(aWait('list', { signal: end.signal }));
      await connection.subscribe({ channels: ['asynq:cancel'], onMessage: () => {}, onReconnect: () => {} });
      end.abort();
      expect(await waiting).toBe('aborted');
      expect(String(await connection.send('ping', []))).toBe('PONG');
      await server.stop();
    }
  });

  it('rejects a subscription that the user may not make', async () => {
    const connection = aConnection(at('mute:secret'));
    const listener = { channels: ['asynq:cancel'], onMessage: () => {}, onReconnect: () => {} };
    await expect(connection.subscribe(listener)).rejects.toThrow(BrokerCommandError);
    await expect(connection.subscribe(listener)).rejects.toThrow(/NOPERM/);
  });

  it('uses TLS, and checks the certificate', async () => {
    const login = { username: 'app', password: 'p@ss/:%' };
    const trusting = { ca: certificate.cert };
    expect(await whoAmI({ host: 'localhost', port: tlsPort, tls: trusting, ...login })).toBe('app');
    expect(await whoAmI({ host: '127.0.0.1', port: tlsPort, tls: trusting, ...login })).toBe('app');
    const url = `rediss://app:p%40ss%2F%3A%25@localhost:${tlsPort}`;
    await expect(aConnection(url, { connectTimeout: 300 }).open()).rejects.toThrow(/self-signed certificate/);
    const elsewhere = { host: '127.0.0.1', port: tlsPort, tls: { ...trusting, servername: 'elsewhere' }, ...login };
    await expect(aConnection(elsewhere, { connectTimeout: 300 }).open()).rejects.toThrow(BrokerUnavailableError);
  });

  it('uses a Unix socket', async () => {
    const path = join(server.dir, 'redis.sock');
    expect(await whoAmI(`redis-socket://app:p%40ss%2F%3A%25@${path}?db=1`)).toBe('app');
    const absent = aConnection(`redis-socket://${path}.none`, { connectTimeout: 100 });
    await expect(absent.open()).rejects.toThrow(
      `Redis at ${path}.none could not be reached within 100 ms: connect ENOENT`,
    );
  });
});

describe('the version of a server', () => {
  it.each(['6.2.0', '6.2.14', '7.0.15', '8.2.1', '10.0.0', '255.255.255'])('%s of Redis is supported', (version) => {
    expect(() => checkVersion({ version, software: 'Redis' }, 'here')).not.toThrow();
  });

  it.each(['6.0.16', '5.0.7', '2.8.0'])('%s of Redis is refused by name', (version) => {
    const check = (): void => checkVersion({ version, software: 'Redis' }, 'cache:6379');
    expect(check).toThrow(UnsupportedRedisError);
    expect(check).toThrow(`Redis ${version} at cache:6379 is too old: version 6.2 or newer is needed, or Valkey`);
  });

  it.each([
    ['7.2.5', 'Valkey'],
    ['8.0.0', 'Valkey'],
    [undefined, 'Redis'],
  ] as const)('%s of %s is supported', (version, software) => {
    expect(() => checkVersion({ version, software }, 'here')).not.toThrow();
  });
});
