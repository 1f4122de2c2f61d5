import { Redis } from 'ioredis';
import ioredisPackage from 'ioredis/package.json' with { type: 'json' };
import { StandaloneConnector } from 'ioredis/built/connectors/index.js';
import type { RunningRedisServer } from '../../scripts/redis-server.mjs';
import { aConnection, aWait, closeConnections, recordAvailability } from '../support/connections.js';
import { startRedis } from '../support/redis-server.js';
import { until } from '../support/until.js';

// Commands go over the socket of a client of ioredis, which is not in its documentation. When this fails because of
// another version, look at the handshake, the reader of replies and the closing of a connection there before changing it.
const checkedWith = '6.0.0';

describe('the socket of an ioredis client', () => {
  let server: RunningRedisServer;
  let warnings: string[];

  beforeAll(async () => {
    server = await startRedis();
  });

  beforeEach(() => {
    warnings = [];
  });

  afterEach(closeConnections);

  afterAll(() => server.stop());

  it(`is used directly with ioredis ${checkedWith}, the version it was checked with`, async () => {
    expect(ioredisPackage.version).toBe(checkedWith);
    await useConnection({});
    expect(warnings).toEqual([]);
  });

  it('has one reader and no reply under way once the client is connected', async () => {
    const client = new Redis(server.port, { protocol: 2, connectionName: 'name', db: 3, enableReadyCheck: false });
    await new Promise((resolve) => client.once('ready', resolve));
    expect(client.stream.listenerCount('data')).toBe(1);
    expect((client as unknown as { readonly commandQueue: { readonly length: number } }).commandQueue.length).toBe(0);
    client.disconnect();
  });

  it('is left to the client when something else reads from it, which is logged once', async () => {
    await useConnection({ Connector: ConnectorWithListener });
    expect(warnings).toEqual([expect.stringContaining('go through the client, which is slower')]);
  });

  async function useConnection(more: object): Promise<void> {
    const connection = aConnection({ port: server.port, ...more }, { warn: (message) => void warnings.push(message) });
    await connection.open();
    expect(String(await connection.send('echo', ['hello']))).toBe('hello');
    const waiting = connection.sendBlocking(aWait('list'));
    await connection.send('lpush', ['list', 'element']);
    expect(String(await waiting)).toBe('element');
    const heard = recordAvailability(connection);
    await connection.send('client', ['KILL', 'TYPE', 'normal', 'SKIPME', 'no']).catch(() => {});
    await until('it is connected again', () => heard.at(-1)?.kind === 'up');
    expect(await connection.sendToEach('exists', ['no such key'])).toEqual([0]);
  }
});

/** As tools do that watch what a process sends and receives. */
class ConnectorWithListener extends StandaloneConnector {
  override async connect(...args: Parameters<StandaloneConnector['connect']>) {
    const stream = await super.connect(...args);
    stream.on('data', () => {});
    return stream;
  }
}
