import { BrokerCommandError } from '../../lib/model/errors/broker-errors.js';
import { aConnection, closeConnections, recordAvailability } from '../support/connections.js';
import { answering, startStub } from '../support/stub-server.js';
import { brokerError, ReplyError } from '../../lib/redis/connection/reply-errors.js';

describe('the error for a reply', () => {
  it('says that a key is on another node of a cluster, and does not treat that as an outage', async () => {
    // A server that says nothing about itself cannot be refused at the start.
    const isAbout = (command: string): boolean => ['info', 'hello', 'client'].includes(command);
    const stub = await startStub(
      answering((command) => (isAbout(command) ? '-ERR unknown command' : '-MOVED 1 10.0.0.7:6379')),
    );
    const connection = aConnection(`redis://127.0.0.1:${stub.port}`);
    const heard = recordAvailability(connection);
    const failure = await connection.send('get', ['key']).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(BrokerCommandError);
    expect((failure as Error).message).toBe(
      `Redis at 127.0.0.1:${stub.port} is a cluster node; set redis to { cluster: { nodes: [...] } } with its URL as a node`,
    );
    expect(heard.map(({ kind }) => kind)).toEqual(['up']);
    await closeConnections();
    await stub.stop();
  });

  it.each([
    "OOM command not allowed when used memory > 'maxmemory'. script: 73d12c1564b175c9e96109b6189dec5679cc2f8a, on @user_script:13.",
    "ERR Error running script (call to f_73d12c1564b175c9e96109b6189dec5679cc2f8a): @user_script:13: @user_script: 13: -OOM command not allowed when used memory > 'maxmemory'.",
  ])('says what Redis refused, not which script and line: %s', (text) => {
    const reply = new ReplyError(text);
    const error = brokerError(reply, 'localhost:6379');
    expect(error).toBeInstanceOf(BrokerCommandError);
    expect(error.message).toMatch(/^OOM command not allowed when used memory > 'maxmemory'\.?$/);
    expect(error.cause).toBe(reply);
  });

  it('says what to do about a server whose scripts may only use declared keys', () => {
    const reply = new ReplyError('ERR script tried accessing undeclared key');
    const error = brokerError(reply, 'dragonfly:6379');
    expect(error).toBeInstanceOf(BrokerCommandError);
    expect(error.message).toBe(
      'ERR script tried accessing undeclared key; Redis at dragonfly:6379 must allow scripts to use undeclared keys ' +
        '(Dragonfly: --default_lua_flags=allow-undeclared-keys)',
    );
    expect(error.cause).toBe(reply);
  });
});
